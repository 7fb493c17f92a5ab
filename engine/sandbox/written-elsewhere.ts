// What a step wrote outside its outputs, for a person whose output is empty. Knows the folders, not why they are looked at.

import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkFolder } from './work-folder.ts';

/** Files as the step names them, the first few. */
export function writtenElsewhere(work: WorkFolder, buildFolder: string, most: number): string[] {
  const places = [
    [work.build, buildFolder],
    [work.temporary, '/tmp'],
    [work.upper, ''],
  ] as const;
  const found: string[] = [];
  for (const [folder, name] of places) addFiles(folder, name, found, most);
  return found;
}

// What cannot be looked into is passed over: this is a hint for a person.
function addFiles(folder: string, name: string, found: string[], most: number): void {
  for (const entry of entriesOf(folder)) {
    if (found.length >= most) return;
    const path = join(folder, entry);
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) addFiles(path, `${name}/${entry}`, found, most);
    else if (stats?.isFile() === true) found.push(`${name}/${entry}`);
  }
}

function entriesOf(folder: string): string[] {
  try {
    chmodSync(folder, 0o700);
    return readdirSync(folder);
  } catch {
    return [];
  }
}
