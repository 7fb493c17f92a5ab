// libpipeline, which man-db runs its formatters with.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const libpipeline = definePackage({
  name: 'libpipeline',
  description: 'runs pipelines of processes',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://libpipeline.gitlab.io/libpipeline/',
  source: debianSource('libpipeline'),
  build: autotools({ inTree: false, configure: gnulibAnswers }),
  gives: {
    outputs: ['out', 'dev'],
    files: ['usr/include/pipeline.h', 'usr/lib/$target/pkgconfig/libpipeline.pc'],
    libraries: ['libpipeline.so.1'],
    runs: [],
  },
});
