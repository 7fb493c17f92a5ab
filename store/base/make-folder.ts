// Folders that several people may use: one made in a folder that is its group's (setgid, and writable for the group) is its
// group's as well, whatever the umask of who makes it. So a team shares a store by the folder that it gives it.

import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from './errors.ts';

const groupWrites = 0o020;
const groupOwns = 0o2000;
const mostAttempts = 8;

/** Makes a folder; the one it lies in is there. @throws when something is there already */
export function makeFolder(path: string): void {
  mkdirSync(path);
  shareAlike(path);
}

/** The same with all folders above it, unless they are there. */
export function makeFolders(path: string): void {
  makeAll(path, makeFolder);
}

/**
 * The same for folders that are one person's: with the mode that their umask leaves of this one. Node's own way
 * (`recursive`) never ends where nobody can make anything, as in /proc.
 */
export function makeOwnFolders(path: string, mode = 0o777): void {
  makeAll(path, (folder) => mkdirSync(folder, { mode }));
}

function makeAll(path: string, make: (folder: string) => void): void {
  for (let attempt = 1; ; attempt++) {
    try {
      makeUnlessThere(path, make);
      return;
    } catch (error) {
      // Another process may take away what was just made, but not again and again: then nobody can make anything there,
      // as in /proc.
      if (!isErrno(error, 'ENOENT') || dirname(path) === path || attempt > mostAttempts) throw error;
      makeAll(dirname(path), make);
    }
  }
}

function makeUnlessThere(path: string, make: (folder: string) => void): void {
  try {
    make(path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST') || !statSync(path).isDirectory()) throw error;
  }
}

/** Gives the group what this user has of a file or folder of theirs, when the folder it lies in is the group's. */
export function shareAlike(path: string): void {
  if (!isGroups(statSync(dirname(path)).mode)) return;
  const { mode, uid } = lstatSync(path);
  const shared = (mode & 0o7777) | ((mode & 0o700) >> 3);
  if (shared !== (mode & 0o7777) && uid === process.getuid?.()) chmodSync(path, shared);
}

/** Whether a folder with this mode is its group's. */
export function isGroups(mode: number): boolean {
  return (mode & groupOwns) !== 0 && (mode & groupWrites) !== 0;
}
