import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { textModules } from './test/support/text-modules.ts';

export default defineConfig({
  plugins: [textModules],
  test: {
    include: ['test/**/*.test.ts'],
    // `npm run test:images` and `npm run test:kernel` have these.
    exclude: ['test/images/**', 'test/kernel/**'],
    globalSetup: ['test/support/build-dist.ts', 'test/support/own-folders.ts'],
    testTimeout: 240_000,
    hookTimeout: 300_000,
    // One second is too short for a process that has to start on a busy machine; none of these waits is a measurement.
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // Left alone it takes one fewer than there are processors: one file at a time on two. Most of a test is waiting for
    // processes that it has started.
    maxWorkers: Math.max(2, availableParallelism()),
  },
});
