// Entry names as archives give them, to paths inside the tree that is being made. The only way from one to the other.

import { hostile, malformed, shown } from './bad-archive.ts';
import type { UnpackLimits } from './limits.ts';

/** A checked path: relative, every part an entry name; no parts at all means the top folder. */
export interface EntryPath {
  /** The name the archive gives, for messages. */
  readonly name: string;
  readonly parts: readonly string[];
  /** What was stripped, in front of the parts. */
  readonly lost: string;
}

/**
 * The path an entry's name means after losing `strip` leading parts, or undefined when nothing is left of it. Slashes
 * that follow each other are one; `.` is no part of the path, but counts when parts are stripped, as it does with
 * `tar --strip-components`. Names are checked before anything is stripped: `..` and absolute names are hostile wherever
 * they are, but for `/` itself, which can only be the top folder.
 */
export function parseEntryName(name: string, strip: number, limits: UnpackLimits): EntryPath | undefined {
  if (name === '') malformed('it has an entry without a name');
  if (name.startsWith('/') && !onlyTop.test(name)) hostile(`its entry ${shown(name)} has an absolute name`);
  if (Buffer.byteLength(name) > limits.pathBytes)
    hostile(`its entry ${shown(name)} has a name longer than ${limits.pathBytes} bytes`);
  const parts = onlyTop.test(name) ? ['.'] : name.split('/').filter((part) => part !== '');
  if (parts.length > limits.pathParts)
    hostile(`its entry ${shown(name)} lies more than ${limits.pathParts} folders deep`);
  for (const part of parts) checkPart(name, part);
  const left = parts.slice(strip);
  if (left.length === 0) return undefined;
  const lost = parts.slice(0, strip).join('/');
  return { name, parts: left.filter((part) => part !== '.'), lost };
}

const onlyTop = /^\/+(\.\/*)?$/;

function checkPart(name: string, part: string): void {
  if (part === '..') hostile(`its entry ${shown(name)} leads out of the archive`);
  if (part.includes('\0')) malformed(`its entry ${shown(name)} has a NUL in its name`);
  if (Buffer.byteLength(part) > 255)
    malformed(`its entry ${shown(name)} has a part longer than 255 bytes, which no file system takes`);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A name or symlink target from its bytes, which must be UTF-8. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    malformed(`its entry ${shown(Buffer.from(bytes).toString('latin1'))} has a name that is not UTF-8`);
  }
}
