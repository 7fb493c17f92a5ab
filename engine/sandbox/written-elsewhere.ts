// What a step wrote outside its outputs, for a person whose output is empty. Knows the folders, not why they are looked at.

import { chmodSync, readdirSync, type Dirent } from 'node:fs';
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

// What cannot be looked into is passed over, what lies deeper than any path reaches for one: this is a hint for a person.
function addFiles(top: string, topName: string, found: string[], most: number): void {
  const folders = [{ path: top, name: topName }];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of entriesOf(folder.path)) {
      if (found.length >= most) return;
      const [path, name] = [`${folder.path}/${entry.name}`, `${folder.name}/${entry.name}`];
      if (entry.isDirectory()) folders.push({ path, name });
      else if (entry.isFile()) found.push(name);
    }
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    chmodSync(folder, 0o700);
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
