// zlib: its configure is not autoconf's and knows no --host; the target is in CHOST and the tools' names.
import { script } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const zlib = definePackage({
  name: 'zlib',
  description: 'deflate compression library',
  licence: 'Zlib',
  homepage: 'https://zlib.net/',
  source: debianSource('zlib'),
  build: script(
    `
CHOST=$target ./configure --prefix=/usr --libdir="/usr/lib/$target" --shared
make
make install DESTDIR="$out"
`,
  ),
  gives: {
    outputs: ['out', 'dev'],
    files: ['usr/include/zlib.h', 'usr/lib/$target/libz.so', 'usr/lib/$target/pkgconfig/zlib.pc'],
    libraries: ['libz.so.1'],
    runs: [],
  },
});
