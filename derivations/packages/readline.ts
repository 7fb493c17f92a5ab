// readline, linked with tinfo as Debian does, so that programs need not do it for it.
import { autotools } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';
import { sinceRelease, undoOfHistory } from '../patches/readline.ts';

export const readline = definePackage({
  name: 'readline',
  description: 'line editing library',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://tiswww.case.edu/php/chet/readline/rltop.html',
  source: debianSource('readline'),
  patches: [sinceRelease, undoOfHistory],
  needs: { libraries: ['ncurses'] },
  build: autotools({
    // No library search path in the libraries: theirs is the usual place.
    before: "sed -i 's/-Wl,-rpath,$(libdir) //' support/shobj-conf",
    configure: [
      '--with-curses',
      '--disable-install-examples',
      // What configure would find out by running programs of the target.
      'bash_cv_must_reinstall_sighandlers=no',
      'bash_cv_func_sigsetjmp=present',
      'bash_cv_func_strcoll_broken=no',
      'bash_cv_func_ctype_nonascii=yes',
      'bash_cv_wcwidth_broken=no',
    ],
    make: ['SHLIB_LIBS=-ltinfo'],
    install: ['SHLIB_LIBS=-ltinfo'],
  }),
  gives: {
    outputs: ['out', 'dev'],
    files: [
      'usr/include/readline/readline.h',
      'usr/lib/$target/libreadline.so',
      'usr/lib/$target/libhistory.so.8',
      'usr/lib/$target/pkgconfig/readline.pc',
    ],
    libraries: ['libreadline.so.8', 'libhistory.so.8'],
    runs: [],
  },
});
