// Folders for tests, removed when the test ends.

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { removeTree } from '../../store/base/remove-tree.ts';

/** A fresh empty folder that is gone after the test, read-only folders in it included. */
export function tempFolder(label = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `cairn-${label}-`));
  onTestFinished(() => removeTree(folder));
  return folder;
}
