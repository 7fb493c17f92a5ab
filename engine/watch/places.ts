// What a config's evaluation depends on, as places to be watched. Pure; knows no watcher.

import { dirname } from 'node:path';
import type { Evaluation } from '../evaluate/evaluation.ts';

export interface WatchedFolder {
  /** Absolute. */
  readonly path: string;
  /** Patterns of what is left out, beside what the folder's own files say. */
  readonly exclude: readonly string[];
}

export interface Places {
  /** Single paths, whether something is there or not. */
  readonly files: readonly string[];
  /** Folders with all below them that an import takes. */
  readonly folders: readonly WatchedFolder[];
}

export const noPlaces: Places = { files: [], folders: [] };

/** What an evaluation was made from. */
export function placesOf({ files, locals }: Pick<Evaluation, 'files' | 'locals'>): Places {
  return { files, folders: locals.map(({ path, exclude }) => ({ path, exclude })) };
}

/** The places of both. */
export function joinPlaces(a: Places, b: Places): Places {
  return { files: [...new Set([...a.files, ...b.files])], folders: distinct([...a.folders, ...b.folders]) };
}

/** Each folder once for each way to leave something out. */
export function distinct(folders: readonly WatchedFolder[]): readonly WatchedFolder[] {
  return [...new Map(folders.map((folder) => [folderKey(folder), folder])).values()];
}

export function folderKey({ path, exclude }: WatchedFolder): string {
  return [path, ...exclude].join('\0');
}

/** True for a path that is in a folder, or is that folder. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === dirname(folder) ? folder : `${folder}/`);
}
