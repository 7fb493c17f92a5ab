// Tests that need what not every machine or user has: they are skipped with the reason, where everybody can read it.

import type { TestContext } from 'vitest';

/** Skips the test when something is missing, and says so. `undefined`: nothing is. */
export function skipWithout({ task, skip }: TestContext, missing: string | undefined): void {
  if (missing === undefined) return;
  console.warn(`skipped: ${task.name}: ${missing}`);
  skip(missing);
}

/**
 * Skips the test for anybody but root. Its file is called `*.root.test.ts`: `npm run test:root` runs those.
 * @throws Error where `CAIRN_TEST_AS_ROOT` says that they are to be run.
 */
export function needsRoot(context: TestContext): void {
  if (process.getuid?.() === 0) return;
  if (process.env['CAIRN_TEST_AS_ROOT'] === '1') throw new Error('these tests are to be run as root');
  skipWithout(context, 'it needs root; `npm run test:root` runs it');
}
