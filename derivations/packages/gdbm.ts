// gdbm's library, which man-db keeps its index with. The programs are left out, as in Debian's library package. Without
// __DATE__ and __TIME__ the library does not say when it was compiled.
import { autotools } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const gdbm = definePackage({
  name: 'gdbm',
  description: 'key and value database in a file',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org.ua/software/gdbm/',
  source: debianSource('gdbm'),
  build: autotools({
    inTree: false,
    before: 'export CFLAGS="$CFLAGS -U__DATE__ -U__TIME__"',
    configure: ['--without-readline'],
    after: 'rm -r "$out"/usr/bin "$out"/usr/share/man/man1',
  }),
  gives: {
    outputs: ['out', 'dev'],
    files: ['usr/include/gdbm.h', 'usr/lib/$target/libgdbm.so'],
    libraries: ['libgdbm.so.6'],
    runs: [],
  },
});
