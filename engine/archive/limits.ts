// How much an archive may become, and the count kept while one is read. Also where a wish to stop is noticed, since
// every byte that comes out of an archive passes here.

import type { ArchiveLimits } from '../model/kinds.ts';
import { shown, tooLarge } from './bad-archive.ts';

/** Bounds on what one archive may hold. The first four may be raised by whoever knows the archive. */
export interface UnpackLimits {
  /** Bytes that may come out, file contents and headers together. */
  readonly unpackedBytes: number;
  /** The same, as a multiple of the archive's own size; but `freeBytes` are always allowed. */
  readonly ratio: number;
  readonly freeBytes: number;
  /** Entries of the tree, folders that are only implied included. */
  readonly entries: number;
  /** Length of an entry's whole path, and the number of its parts. */
  readonly pathBytes: number;
  readonly pathParts: number;
}

/** The Linux kernel's source is ten times its archive's size and has 93,000 entries; Chromium's has 500,000. */
export const defaultLimits: UnpackLimits = {
  unpackedBytes: 16 * 2 ** 30,
  ratio: 200,
  freeBytes: 256 * 2 ** 20,
  entries: 1_000_000,
  pathBytes: 2048,
  pathParts: 256,
};

/** The usual limits, but for what a derivation says: then that is what may come out, however small the archive is. */
export function limitsWith({ unpackedBytes, entries }: ArchiveLimits = {}): UnpackLimits {
  return {
    ...defaultLimits,
    ...(unpackedBytes !== undefined && { unpackedBytes, ratio: Infinity }),
    ...(entries !== undefined && { entries }),
  };
}

/** Someone wants the reading to stop. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Counts what comes out of one archive. */
export class OutputMeter {
  readonly #limitBytes: number;
  readonly #archiveBytes: number;
  readonly #stop: Int32Array;
  #bytes = 0;

  /** `stop` is shared with whoever may want the reading to end, and then sets its only element to 1. */
  constructor(limits: UnpackLimits, archiveBytes: number, stop: Int32Array) {
    const byRatio = Math.max(limits.freeBytes, archiveBytes * limits.ratio);
    this.#limitBytes = Math.min(limits.unpackedBytes, byRatio);
    this.#archiveBytes = archiveBytes;
    this.#stop = stop;
  }

  /** Counts bytes that have come out. */
  add(bytes: number): void {
    if (Atomics.load(this.#stop, 0) !== 0) throw new Stopped();
    this.#bytes += bytes;
    if (this.#bytes > this.#limitBytes) tooLarge(`it unpacks to ${this.#tooMuch()}`);
  }

  /** Refuses an entry that is too large by its own account before any of it is read. */
  expect(name: string, bytes: number): void {
    if (this.#bytes + bytes > this.#limitBytes)
      tooLarge(`with its entry ${shown(name)} it would unpack to ${this.#tooMuch()}`);
  }

  #tooMuch(): string {
    const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6);
    return `more than the ${megabytes(this.#limitBytes)} MB that it may, an archive of ${megabytes(this.#archiveBytes)} MB`;
  }
}
