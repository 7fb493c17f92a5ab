// Reading a file that a person names, or has at a place where one is looked for: whatever else is there is an error and no
// wait. Knows no store, and not what the file is for.

import { closeSync, constants, fstatSync, openSync, readFileSync, statSync, type Stats } from 'node:fs';
import { isErrno } from './errors.ts';
import { exactBytes } from './exact-bytes.ts';

/** Something is there, and it cannot be read as a file is. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  readonly path: string;
  /** The system's where it has one; `EFTYPE` for what is neither file nor folder. */
  readonly code: string;
  /** Such as `it is a fifo`. */
  readonly reason: string;

  constructor(path: string, code: string, reason: string) {
    super(`${path} cannot be read: ${reason}`);
    this.path = path;
    this.code = code;
    this.reason = reason;
  }
}

/** Of text, one string takes no more. */
const largestBytes = 2 ** 28;

/**
 * The bytes of a regular file, links followed; `/dev/null` is an empty one, and what a shell hands over (`<(command)`,
 * `/dev/stdin`) is read to its end. @throws UnreadableFile; the system's error `ENOENT` or `ENOTDIR` when nothing is there
 */
export function readNamedFile(path: string): Buffer {
  try {
    if (isHandedOver(path)) return readFileSync(path);
    // Opening alone is too much for some devices.
    checkKind(path, statSync(path));
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      checkKind(path, fstatSync(file));
      return readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code =
      error instanceof Error && 'syscall' in error ? (error as NodeJS.ErrnoException).code : undefined;
    if (code === undefined || code === 'ENOENT' || code === 'ENOTDIR') throw error;
    throw new UnreadableFile(path, code, words[code] ?? `the system says ${code}`);
  }
}

/** Its text, as UTF-8; undefined when nothing is there. @throws UnreadableFile */
export function readNamedText(path: string): string | undefined {
  try {
    return readNamedFile(path).toString('utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The same, where others wait for files anyway. */
export function readTextIfThere(path: string): Promise<string | undefined> {
  return Promise.resolve().then(() => readNamedText(path));
}

/** What is there instead of a regular file; undefined for one. */
export function otherKind(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return 'it is a folder';
  if (stats.isFIFO()) return 'it is a fifo';
  return stats.isSocket() ? 'it is a socket' : 'it is a device';
}

const words: Readonly<Record<string, string>> = {
  EACCES: 'you may not read it',
  EPERM: 'you may not read it',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'its path is too long',
};

function isHandedOver(path: string): boolean {
  return /^(\/dev\/(stdin|fd\/\d+)|\/proc\/(self|\d+)\/fd\/\d+)$/.test(path);
}

function checkKind(path: string, stats: Stats): void {
  const other = isNull(stats) ? undefined : otherKind(stats);
  if (other !== undefined) throw new UnreadableFile(path, stats.isDirectory() ? 'EISDIR' : 'EFTYPE', other);
  if (stats.size > largestBytes)
    throw new UnreadableFile(
      path,
      'EFBIG',
      `it has ${exactBytes(stats.size)}, and ${largestBytes} are the most`,
    );
}

function isNull(stats: Stats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0x103;
}
