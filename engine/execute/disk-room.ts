// Whether there is room where steps write, and was all the time: by what the file system says and takes. What a step writes into
// its log is a hint at most, since a program may say the same of a file system of its own, or of a test; and how it ended is
// none, since there are programs, busybox's awk for one, that lose what could not be written and end with success.

import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../store/base/errors.ts';

/** With less room than this, a failure is put down to the disk. */
const scarceBytes = 1024 * 1024;
/** With less than this, one that speaks of it: what had filled the disk may have been removed again. */
const hintedBytes = 1024 * 1024 * 1024;
const scarceFiles = 16;
const hintedFiles = 10_000;
/** No disk is filled faster: between two looks at it, what is free lasts. */
const filledBytesPerMs = 1024 * 1024;
const shortestPauseMs = 5;
const longestPauseMs = 1000;

/** True when a step that failed in `folder`, and whose log says that it had no room, may be right. */
export function mayLackRoom(folder: string): boolean {
  return isBelow(roomIn(folder), hintedBytes, hintedFiles) || refuses(folder);
}

interface Room {
  readonly bytes: number;
  readonly files: number;
}

function roomIn(folder: string): Room {
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  // Those that make inodes as they need them count none.
  return { bytes: bavail * bsize, files: files > 0 ? ffree : Infinity };
}

function isBelow({ bytes, files }: Room, leastBytes: number, leastFiles: number): boolean {
  return bytes < leastBytes || files < leastFiles;
}

/** A time during which the room is looked at. */
export interface RoomSpell {
  /** Looks once more. True when room was scarce at any look since the spell began. */
  wasScarce(): boolean;
  end(): void;
}

/** Looks at the room in a folder while steps write there, as often as what is free could be used up. A quota is not seen. */
export class RoomWatch {
  readonly #folder: string;
  #spells = 0;
  #timer: NodeJS.Timeout | undefined;
  /** How often it was found scarce. */
  #found = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  begin(): RoomSpell {
    const before = this.#found;
    this.#look();
    this.#spells++;
    return {
      wasScarce: () => {
        this.#look();
        return this.#found > before;
      },
      end: () => {
        if (--this.#spells === 0) clearTimeout(this.#timer);
      },
    };
  }

  #look(): void {
    const room = roomIn(this.#folder);
    if (isBelow(room, scarceBytes, scarceFiles)) this.#found++;
    const pauseMs = Math.min(Math.max(room.bytes / filledBytesPerMs, shortestPauseMs), longestPauseMs);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lookBetween(), pauseMs).unref();
  }

  // Nobody waits for this look: what keeps it from being made is told to who asks at the end.
  #lookBetween(): void {
    try {
      this.#look();
    } catch {
      // Only the system can have refused.
    }
  }
}

// A quota shows in nothing but this.
function refuses(folder: string): boolean {
  const probe = join(folder, 'room');
  try {
    writeFileSync(probe, Buffer.alloc(scarceBytes));
    return false;
  } catch (error) {
    if (isErrno(error, 'ENOSPC', 'EDQUOT')) return true;
    throw error;
  } finally {
    rmSync(probe, { force: true });
  }
}
