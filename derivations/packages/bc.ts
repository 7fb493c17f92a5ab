// bc and dc. The library of bc's functions is compiled by bc itself; that is done by the seed's, of this same version,
// and its output is made into C here because upstream's way of doing so wants ed.
import { autotools } from '../lib/build.ts';
import interactiveTry from '../tries/interactive-bc.py';
import { debianSource, definePackage } from '../lib/package.ts';

export const bc = definePackage({
  name: 'bc',
  description: 'calculators with arbitrary precision',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/bc/',
  source: debianSource('bc'),
  needs: { libraries: ['readline'] },
  build: autotools({
    before: `
cd bc
bc -c libmath.b </dev/null | sed -e '1s/^/{"/' -e '2,$s/^/"/' -e 's/$/",/' -e '$d' | sed '$s/,$/,0}/' >libmath.h
sed -i '/^libmath.h:/,/^sbc.o:/{/^sbc.o:/!d}' Makefile.in
cd ..
`,
    configure: ['--with-readline'],
    // Info pages would want makeinfo.
    make: ['INFO_DEPS='],
    install: ['INFO_DEPS='],
  }),
  gives: {
    files: ['usr/bin/bc', 'usr/bin/dc', 'usr/share/man/man1/bc.1', 'usr/share/man/man1/dc.1'],
    runs: [
      ['/usr/bin/bc', '--version'],
      ['/usr/bin/dc', '-e', '2 64 ^ p'],
    ],
    tries: [interactiveTry],
  },
});
