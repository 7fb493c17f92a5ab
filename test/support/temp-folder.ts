// Folders for tests, removed when the test ends.

import { chmodSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A fresh empty folder that is gone after the test, read-only folders in it included. */
export function tempFolder(label = 'test'): string {
  const folder = mkdtempSync(join(process.env['CAIRN_TEST_TMP'] ?? tmpdir(), `cairn-${label}-`));
  onTestFinished(() => removeFolder(folder));
  return folder;
}

function removeFolder(folder: string): void {
  makeWritable(folder);
  rmSync(folder, { recursive: true, force: true });
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (lstatSync(path).isDirectory()) makeWritable(path);
  }
}
