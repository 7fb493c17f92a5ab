// What has changed on this machine since a moment, for tests of the tests. Looks at names and times, at nothing in files.

import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** Everything in the folders that was made, written, moved or changed after a time; nothing on other file systems. */
export function changedSince(folders: readonly string[], timeMs: number): string[] {
  const changed: string[] = [];
  const look = (path: string, device: number | undefined): void => {
    const found = lookAt(path);
    if (found === undefined || (device !== undefined && found.dev !== device)) return;
    if (found.ctimeMs > timeMs) changed.push(path);
    if (found.isDirectory()) for (const name of namesIn(path)) look(join(path, name), found.dev);
  };
  for (const folder of folders) look(folder, undefined);
  return changed.sort();
}

/** Names in a folder; none when this person may not look, or when it has just gone. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}
