// findutils: find and xargs. locate is left out as in Debian's package: nothing here keeps its database up to date.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const findutils = definePackage({
  name: 'findutils',
  description: 'finds files and runs commands on them',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/findutils/',
  source: debianSource('findutils'),
  build: autotools({
    inTree: false,
    configure: [...gnulibAnswers, '--without-selinux'],
    after: `
rm -r "$out"/usr/libexec "$out"/var "$out"/usr/share/man/man5
rm "$out"/usr/bin/{locate,updatedb} "$out"/usr/share/man/man1/{locate,updatedb}.1
`,
  }),
  gives: {
    files: ['usr/bin/find', 'usr/bin/xargs', 'usr/share/man/man1/find.1', 'usr/share/man/man1/xargs.1'],
    runs: [
      ['/usr/bin/find', '/usr/bin', '-name', 'find'],
      ['/usr/bin/xargs', '--version'],
    ],
  },
});
