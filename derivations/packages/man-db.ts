// man-db, with mandoc as its formatter. Its configure knows no mandoc, so it is told what it would find out by running a
// formatter: mandoc is used like Heirloom's nroff, which takes UTF-8, finds out the locale itself (-Tlocale) and has the
// line length in its input. Tables and equations mandoc formats itself, so the preprocessors are `cat`. Nothing is
// set-user-id, the index belongs to root.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const manDb = definePackage({
  name: 'man-db',
  description: 'shows manual pages',
  licence: 'GPL-2.0-or-later',
  homepage: 'https://man-db.nongnu.org/',
  source: debianSource('man-db'),
  needs: {
    libraries: ['libpipeline', 'gdbm', 'zlib'],
    runtime: ['coreutils', 'mandoc', 'util-linux'],
  },
  build: autotools({
    inTree: false,
    // man.c names this variable of its groff variant in its Heirloom variant too.
    before: 'export CPPFLAGS="$CPPFLAGS -Dditroff=false"',
    configure: [
      ...gnulibAnswers,
      '--disable-setuid',
      '--disable-cache-owner',
      '--disable-manual',
      '--with-db=gdbm',
      '--with-config-file=/etc/manpath.config',
      '--with-systemdtmpfilesdir=no',
      '--with-systemdsystemunitdir=no',
      '--without-libseccomp',
      '--with-sections=1 n l 8 3 0 2 3type 3posix 3pm 3perl 3am 5 4 9 6 7',
      '--with-nroff=mandoc',
      'man_cv_prog_gnu_nroff=no',
      'man_cv_prog_heirloom_nroff=yes',
      'man_cv_prog_nroff_macro=-mandoc',
      'man_cv_prog_nroff_warnings=no',
      'man_cv_tbl_x_format=yes',
      '--with-tbl=cat',
      '--with-eqn=cat',
      '--with-neqn=cat',
      '--with-col=col',
      '--with-pager=more',
      '--with-browser=www-browser',
      '--with-gzip=gzip',
      '--with-bzip2=bzip2',
      '--with-xz=xz',
      '--with-zstd=zstd',
    ],
    // Its own two libraries beside all others, so that no program needs a library search path.
    make: ['pkglibdir=/usr/lib/$target'],
    install: ['pkglibdir=/usr/lib/$target'],
    after: 'mkdir -p "$out/var/cache/man"',
  }),
  gives: {
    files: [
      'etc/manpath.config',
      'usr/bin/man',
      'usr/bin/mandb',
      'usr/bin/apropos',
      'usr/share/man/man1/man.1',
    ],
    runs: [
      ['/usr/bin/man', '/usr/share/man/man1/man.1'],
      ['/usr/bin/mandb', '--create', '--quiet'],
    ],
  },
});
