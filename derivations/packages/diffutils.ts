// diffutils. Its manual pages would be made by running the programs (help2man); the release brings them ready.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const diffutils = definePackage({
  name: 'diffutils',
  description: 'shows differences between files',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/diffutils/',
  source: debianSource('diffutils'),
  build: autotools({
    inTree: false,
    configure: [...gnulibAnswers, 'PR_PROGRAM=/usr/bin/pr'],
    make: ['HELP2MAN=true'],
    install: ['HELP2MAN=true'],
  }),
  gives: {
    files: ['usr/bin/cmp', 'usr/bin/diff', 'usr/bin/diff3', 'usr/bin/sdiff', 'usr/share/man/man1/diff.1'],
    runs: [
      ['/usr/bin/diff', '/usr/bin/diff', '/usr/bin/diff'],
      ['/usr/bin/cmp', '/usr/bin/cmp', '/usr/bin/cmp'],
    ],
  },
});
