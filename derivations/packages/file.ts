// file and libmagic. A cross build compiles the magic database with the seed's own `file`, which has to be of the same
// version. Of the formats it can look into, gzip is there.
import { autotools } from '../lib/build.ts';
import longInterpreterTry from '../tries/long-interpreter.py';
import { debianSource, definePackage } from '../lib/package.ts';
import { longInterpreter } from '../patches/file.ts';

export const file = definePackage({
  name: 'file',
  description: 'tells the type of files by their content',
  licence: 'BSD-2-Clause-Darwin AND BSD-2-Clause',
  homepage: 'https://www.darwinsys.com/file/',
  source: debianSource('file'),
  patches: [longInterpreter],
  needs: { libraries: ['zlib'] },
  build: autotools({
    inTree: false,
    configure: [
      'LT_SYS_LIBRARY_PATH=/usr/lib/$target',
      '--enable-zlib',
      '--disable-bzlib',
      '--disable-xzlib',
      '--disable-lzlib',
      '--disable-zstdlib',
      '--disable-lrziplib',
      '--disable-libseccomp',
      '--enable-fsect-man5',
    ],
  }),
  gives: {
    outputs: ['out', 'dev'],
    files: ['usr/bin/file', 'usr/include/magic.h', 'usr/share/man/man1/file.1', 'usr/share/misc/magic.mgc'],
    libraries: ['libmagic.so.1'],
    runs: [['/usr/bin/file', '-E', '/usr/bin/file']],
    tries: [longInterpreterTry],
  },
});
