// binutils for the target itself: every program runs on the target and makes files for it. Without the C++ parts (gold,
// gprofng) and without what would bring another library (debuginfod, jansson, msgpack, zstd).
import { autotools } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';
import { leftOfBinutils } from '../patches/binutils.ts';

export const binutils = definePackage({
  name: 'binutils',
  description: 'assembler, linker and tools for object files',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/binutils/',
  source: debianSource('binutils'),
  leaves: leftOfBinutils,
  needs: { libraries: ['zlib'] },
  build: autotools({
    inTree: false,
    configure: [
      '--target=$target',
      '--enable-shared',
      '--enable-plugins',
      '--enable-deterministic-archives',
      '--enable-new-dtags',
      '--enable-relro',
      '--enable-default-hash-style=gnu',
      '--enable-64-bit-bfd',
      '--disable-gold',
      '--disable-gprofng',
      '--disable-gdb',
      '--disable-sim',
      '--disable-werror',
      '--disable-jansson',
      '--with-system-zlib',
      '--without-debuginfod',
      '--without-msgpack',
      '--without-zstd',
    ],
    // Also $target/bin would get a copy of each program.
    make: ['tooldir=/usr', 'MAKEINFO=true'],
    install: ['tooldir=/usr', 'MAKEINFO=true'],
    // The pages come from the release: without perl's pod2man they were made anew, empty. ld has its scripts in it.
    after: `
cp "$src"/{binutils,gas}/doc/*.1 "$out/usr/share/man/man1/"
rm "$out"/usr/share/man/man1/{dlltool,windmc,windres}.1
rm -r "$out/usr/lib/ldscripts"
ln -sf ld.bfd "$out/usr/bin/ld"
`,
  }),
  gives: {
    files: [
      'usr/bin/ar',
      'usr/bin/as',
      'usr/bin/ld',
      'usr/bin/nm',
      'usr/bin/objdump',
      'usr/bin/readelf',
      'usr/bin/strip',
      'usr/share/man/man1/ld.1',
    ],
    runs: [
      ['/usr/bin/ld', '--version'],
      ['/usr/bin/objdump', '-f', '/usr/bin/objdump'],
      ['/usr/bin/readelf', '-h', '/usr/bin/readelf'],
    ],
  },
});
