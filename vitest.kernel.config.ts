// npm run test:kernel: edits at random to the real kernel's sources, each built incrementally and cleanly. Apart from
// `npm test`, because each clean build takes a minute or two; test/kernel/options.ts has what it can be asked for.

import { defineConfig } from 'vitest/config';
import { textModules } from './test/support/text-modules.ts';

const minutes = 60_000;

export default defineConfig({
  plugins: [textModules],
  test: {
    include: ['test/kernel/**/*.test.ts'],
    globalSetup: ['test/support/build-dist.ts'],
    fileParallelism: false,
    testTimeout: 240 * minutes,
    // The sources are unpacked and copied, and built for the first time.
    hookTimeout: 240 * minutes,
    pool: 'forks',
    reporters: ['verbose'],
  },
});
