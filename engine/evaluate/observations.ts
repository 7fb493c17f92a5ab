// Everything an evaluation looked at on disk: what it read, and where it looked in vain. That is what has to be the
// same for the evaluation to be the same. Knows nothing of modules.

import { realpathSync } from 'node:fs';
import { hash } from 'node:crypto';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { readNamedFile, UnreadableFile } from '../../store/base/named-file.ts';
import { absenceStamp, fileStamp, lastingStamp } from './file-stamp.ts';

/** One file that was read or looked for. */
export interface ObservedFile {
  readonly path: string;
  /** From `lastingStamp`, '' when it must not be trusted; where no file was there, from `absenceStamp`. */
  readonly stamp: string;
  /** Of its bytes, in hex; undefined when no file was there. */
  readonly sha256: string | undefined;
}

/** A path that led, through symbolic links, to another. */
export interface ObservedLink {
  readonly path: string;
  readonly real: string;
}

export class Observations {
  readonly #files = new Map<string, ObservedFile>();
  readonly #links = new Map<string, ObservedLink>();
  readonly #onFile: (path: string) => void;

  /** @param onFile told of each file that is read, or looked for in vain */
  constructor(onFile: (path: string) => void = () => undefined) {
    this.#onFile = onFile;
  }

  get files(): readonly ObservedFile[] {
    return [...this.#files.values()];
  }

  get links(): readonly ObservedLink[] {
    return [...this.#links.values()];
  }

  /** Reads a file that is there. @throws UserError `CONFIG_INVALID` when it cannot be read. */
  read(path: string): Buffer {
    this.#onFile(path);
    // The stamp comes first: a change after it shows as another stamp.
    const stamp = lastingStamp(path) ?? '';
    const bytes = readFile(path);
    this.#files.set(path, { path, stamp, sha256: hash('sha256', bytes, 'hex') });
    return bytes;
  }

  /** True when there is a file at the path. That there is none is remembered. */
  isFile(path: string): boolean {
    if (fileStamp(path) !== undefined) return true;
    this.lookedInVain(path);
    return false;
  }

  /** Remembers that no file is at the path. */
  lookedInVain(path: string): void {
    this.#onFile(path);
    this.#files.set(path, { path, stamp: absenceStamp(path), sha256: undefined });
  }

  /** The path without symbolic links; where they led is remembered. */
  realPath(path: string): string {
    const real = realpathSync(path);
    if (real !== path) this.#links.set(path, { path, real });
    return real;
  }
}

/** What an observed file is found to be now; undefined when it is no longer what it was. */
export function observeAgain(file: ObservedFile): ObservedFile | undefined {
  const now = fileStamp(file.path);
  if (file.sha256 === undefined)
    return now === undefined && absenceStamp(file.path) === file.stamp ? file : undefined;
  if (now === undefined) return undefined;
  if (now === file.stamp) return file;
  const stamp = lastingStamp(file.path) ?? '';
  const sha256 = hash('sha256', readFile(file.path), 'hex');
  return sha256 === file.sha256 ? { ...file, stamp } : undefined;
}

/** True when a path still leads where it led. */
export function leadsThereStill({ path, real }: ObservedLink): boolean {
  try {
    return realpathSync(path) === real;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return false;
    throw error;
  }
}

function readFile(path: string): Buffer {
  try {
    return readNamedFile(path);
  } catch (error) {
    const isAbsent = isErrno(error, 'ENOENT', 'ENOTDIR');
    if (!isAbsent && !(error instanceof UnreadableFile)) throw error;
    const reason = isAbsent ? 'there is none' : error.reason;
    throw new UserError('CONFIG_INVALID', `${path} cannot be read: ${reason}`, {
      hint: 'Look at its permissions, and that it is a file.',
    });
  }
}
