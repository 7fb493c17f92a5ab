// Copies one file of this machine into a batch's folder under its blob name. Run by worker threads; knows no folder
// around the file and no ignore rules.

import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { threadId } from 'node:worker_threads';
import { DigestHasher, digestOf, type Digest } from '../base/digest.ts';
import { UserError, isErrno } from '../base/errors.ts';
import { isWhole, makeCanonical } from '../content/blobs.ts';
import { startFingerprint, type Fingerprinter } from './fingerprint.ts';
import { blobMode, blobName, canonicalAtimeSeconds, canonicalMtimeSeconds, type Layout } from '../layout.ts';
import type { SeenStats } from './import-snapshot.ts';

export interface FileToImport {
  readonly path: string;
  /** What the last import found, when size and times are as they were then but cannot be trusted. */
  readonly known: { readonly digest: Digest; readonly fingerprint: bigint } | undefined;
}

export interface ImportedFile {
  readonly digest: Digest;
  readonly executable: boolean;
  readonly stats: SeenStats;
  /** Set when the file's times are too young to be trusted by the next import. */
  readonly fingerprint: bigint | undefined;
  /** Where its bytes are: new in the batch's folder, in the store, or not looked for since `known` was right. */
  readonly content: 'staged' | 'stored' | 'known';
}

export interface ImportFileOptions {
  readonly layout: Layout;
  /** The batch's folder. */
  readonly folder: string;
  /** Times from here on (ms since 1970) are too young: the file could change again within one tick of its clock. */
  readonly trustedBeforeMs: number;
}

/** A file that changes while it is read is read again, this many times. */
const attempts = 3;
/** A file up to this size is held in memory, so that nothing is written when the store has it. */
const heldBytes = 4 << 20;
const buffer = Buffer.allocUnsafeSlow(heldBytes);

/** @throws UserError `SOURCE_UNREADABLE` when the file is no plain file any more or does not stop changing. */
export async function importFile(file: FileToImport, options: ImportFileOptions): Promise<ImportedFile> {
  const source = openSource(file.path);
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const imported = await importOnce(file, source, options);
      if (imported !== undefined) return imported;
    }
  } finally {
    closeSync(source);
  }
  throw changing(file.path);
}

// Not through a symlink and not waiting for a fifo's writer, whatever took the file's place since it was seen.
function openSource(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'ENXIO')) throw changing(path, error);
    throw error;
  }
}

// Undefined when the file changed meanwhile.
async function importOnce(
  file: FileToImport,
  source: number,
  options: ImportFileOptions,
): Promise<ImportedFile | undefined> {
  const before = fstatSync(source);
  if (!before.isFile()) throw changing(file.path);
  const isYoung = Math.max(before.mtimeMs, before.ctimeMs) >= options.trustedBeforeMs;
  const fingerprinter = isYoung || file.known !== undefined ? await startFingerprint() : undefined;
  const copy =
    before.size <= heldBytes ? holdFile(source, fingerprinter) : copyFile(source, fingerprinter, options);
  if (!isSameFile(before, fstatSync(source))) {
    copy.drop();
    return undefined;
  }
  const executable = (before.mode & 0o100) !== 0;
  const found = fingerprinter?.digest();
  const seen = { executable, stats: seenStats(before), fingerprint: isYoung ? found : undefined };
  if (file.known !== undefined && file.known.fingerprint === found) {
    copy.drop();
    return { ...seen, digest: file.known.digest, content: 'known' };
  }
  const digest = copy.digest();
  const name = blobName(digest, executable);
  if (isWhole(options.layout, name, before.size)) {
    copy.drop();
    return { ...seen, digest, content: 'stored' };
  }
  copy.place(`${options.folder}/${name}`, executable);
  return { ...seen, digest, content: 'staged' };
}

/** A file's bytes on their way: in memory or in a file, to be placed or dropped. */
interface Copy {
  digest(): Digest;
  place(path: string, executable: boolean): void;
  drop(): void;
}

function holdFile(source: number, fingerprinter: Fingerprinter | undefined): Copy {
  let length = 0;
  for (let read: number; (read = readSync(source, buffer, length, heldBytes - length, length)) > 0;)
    length += read;
  const bytes = buffer.subarray(0, length);
  fingerprinter?.update(bytes);
  return {
    digest: () => digestOf(bytes),
    place: (path, executable) => writeHeld(path, bytes, executable),
    drop: () => undefined,
  };
}

// The same content may be on its way in another thread: then that one's file will do.
function writeHeld(path: string, bytes: Uint8Array, executable: boolean): void {
  let target: number;
  try {
    target = openSync(path, 'wx');
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    throw error;
  }
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(target, bytes, at);
    fchmodSync(target, blobMode(executable));
    futimesSync(target, canonicalAtimeSeconds, canonicalMtimeSeconds);
  } finally {
    closeSync(target);
  }
}

let nextPart = 0;

function copyFile(
  source: number,
  fingerprinter: Fingerprinter | undefined,
  options: ImportFileOptions,
): Copy {
  const part = `${options.folder}/part-${threadId}-${nextPart++}`;
  const target = openSync(part, 'wx');
  const hasher = new DigestHasher();
  try {
    let at = 0;
    for (let length: number; (length = readSync(source, buffer, 0, heldBytes, at)) > 0; at += length) {
      const bytes = buffer.subarray(0, length);
      hasher.update(bytes);
      fingerprinter?.update(bytes);
      for (let written = 0; written < length;) written += writeSync(target, bytes, written);
    }
  } finally {
    closeSync(target);
  }
  return {
    digest: () => hasher.digest(),
    place: (path, executable) => {
      makeCanonical(part, executable);
      renameSync(part, path);
    },
    drop: () => rmSync(part),
  };
}

function isSameFile(a: Stats, b: Stats): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

export function seenStats({ size, mtimeMs, ctimeMs, ino }: Stats): SeenStats {
  return { size, mtimeMs, ctimeMs, ino };
}

function changing(path: string, cause?: unknown): UserError {
  return new UserError('SOURCE_UNREADABLE', `${path} changed while it was read`, {
    hint: 'Wait until whatever writes there has finished, then try again.',
    fault: 'environment',
    cause,
  });
}
