// gawk, without readline (only its debugger uses it), without arbitrary precision, and without the persistent memory
// allocator, which needs a program at a fixed address. gawkbug is left out: it has the compiler's flags in it.
import { autotools } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';
import { fieldsAssigned } from '../patches/gawk.ts';

export const gawk = definePackage({
  name: 'gawk',
  description: 'pattern scanning and processing language',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/gawk/',
  source: debianSource('gawk'),
  patches: [fieldsAssigned],
  leaves: {
    '0001-Build-pma-without-assertions-by-default.patch':
      'quicker where variables are kept in a file, and no other results',
    '0003-Fix-possible-fd-leak-in-readdir-extension.patch': 'for systems without fdopendir',
  },
  build: autotools({
    configure: ['--disable-pma', '--without-readline', '--without-mpfr'],
    // Debian's archive lacks the info manuals and their source, from which the programs in awklib would be made again.
    before: 'touch -d @0 doc/{gawktexi.in,gawkinet.texi}',
    make: ['INFO_DEPS='],
    install: ['INFO_DEPS='],
    after: `
rm "$out"/usr/bin/{gawk-*,gawkbug} "$out/usr/share/man/man1/gawkbug.1"
`,
  }),
  gives: {
    files: [
      'usr/bin/gawk',
      'usr/bin/awk',
      'usr/lib/$target/gawk/filefuncs.so',
      'usr/share/awk/getopt.awk',
      'usr/share/man/man1/gawk.1',
    ],
    runs: [
      ['/usr/bin/awk', 'BEGIN { exit length("abc") - 3 }'],
      // Any file with words in its lines will do.
      ['/usr/bin/gawk', 'gsub(/./, "@") && $0 = $1 { if (!/^@+$/) exit 1 }', '/usr/share/awk/getopt.awk'],
      ['/usr/bin/gawk', '-l', 'filefuncs', 'BEGIN { exit stat("/usr/bin/gawk", data) }'],
    ],
  },
});
