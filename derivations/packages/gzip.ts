// gzip and its scripts. `less` is named because configure asks the build machine for it, and zless depends on the answer.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';
import { clearedTables, temporaryFiles, temporaryFilesOfZnew } from '../patches/gzip.ts';

export const gzip = definePackage({
  name: 'gzip',
  description: 'file compression',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/gzip/',
  source: debianSource('gzip'),
  patches: [temporaryFiles, temporaryFilesOfZnew, clearedTables],
  leaves: {
    'gzip_reproducible_build.diff': 'of the info page, which is not kept',
    'disable-Werror.patch': 'the build has no -Werror',
  },
  build: autotools({
    inTree: false,
    configure: [...gnulibAnswers, 'ac_cv_prog_LESS=less'],
    make: ['SHELL=/bin/sh'],
    install: ['SHELL=/bin/sh'],
  }),
  gives: {
    files: [
      'usr/bin/gzip',
      'usr/bin/gunzip',
      'usr/bin/zcat',
      'usr/bin/zgrep',
      'usr/bin/zless',
      'usr/share/man/man1/gzip.1',
    ],
    runs: [['/usr/bin/gzip', '--version']],
  },
});
