// m4. Its manual page would be made by running the program (help2man); the release brings it ready.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const m4 = definePackage({
  name: 'm4',
  description: 'macro processor',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/m4/',
  source: debianSource('m4'),
  build: autotools({
    inTree: false,
    configure: [...gnulibAnswers],
    make: ['HELP2MAN=true'],
    install: ['HELP2MAN=true'],
  }),
  gives: {
    files: ['usr/bin/m4', 'usr/share/man/man1/m4.1'],
    runs: [['/usr/bin/m4', '--version']],
  },
});
