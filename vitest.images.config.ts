// npm run test:images boots every image, npm run test:boot the smallest. Apart from `npm test`, because emulated machines
// take minutes; one at a time, because each one takes all processors.

import { defineConfig } from 'vitest/config';
import { textModules } from './test/support/text-modules.ts';

const minutes = 60_000;

export default defineConfig({
  plugins: [textModules],
  test: {
    include: ['test/images/**/*.test.ts'],
    globalSetup: ['test/support/build-dist.ts'],
    fileParallelism: false,
    testTimeout: 60 * minutes,
    // The first run builds what is not in the store: two kernels, the userland, the images.
    hookTimeout: 240 * minutes,
    pool: 'forks',
    reporters: ['verbose'],
  },
});
