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
  leaves: {
    '1733427672.FILE5_46-14-g60b2032b.pr-571-jschleus-some-zip-files-are-misclassified-as-data.patch':
      'tells a further kind of zip apart',
    '1741021322.FILE5_46-55-gff9ba253.use-unsigned-byte-christoph-biedl.patch':
      'a number that is shown with its sign',
    '1742485595.FILE5_46-68-g5089651f.fix-openstreetmap-christoph-biedl.patch':
      'tells a further kind of XML apart',
    '1742492756.FILE5_46-69-g280e121f.remove-superfluous-christoph-biedl.patch':
      'a number that is shown beside a date',
    '1742492810.FILE5_46-70-g4e2c7d3d.fix-msdosdate-endianess.patch':
      'dates of files in zip archives, as they are shown on big-endian machines',
    'upstream.disable.att3b.patch': 'a kind of program of 1982',
    'upstream.stricter-postscript-magic.patch': 'a kind of PostScript',
    'local.support-local-definitions-in-etc-magic.patch': 'a file /etc/magic, which is not here',
    'local.don-t-include-libs-in-build.patch': 'which libraries the program names, and checks look at that',
    'local.extra-magic.patch': "further kinds of files of Debian's",
    'local.manpage-seccomp-is-disabled.patch': 'of the manual alone',
  },
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
