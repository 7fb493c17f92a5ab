// npm run test:soak: many processes on one store for ten minutes. Apart from `npm test`, since it takes that long.

import { defineConfig } from 'vitest/config';
import { textModules } from './test/support/text-modules.ts';

const minutes = 60_000;

export default defineConfig({
  plugins: [textModules],
  test: {
    include: ['test/soak/**/*.soak.ts'],
    globalSetup: ['test/support/build-dist.ts', 'test/support/own-folders.ts'],
    testTimeout: 60 * minutes,
    pool: 'forks',
    reporters: ['verbose'],
  },
});
