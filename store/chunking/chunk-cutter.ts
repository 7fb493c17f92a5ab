// FastCDC 2020 as the Remote Execution API has it (remote_execution.proto, "FastCdc2020Params"): where a stream of bytes is cut
// into chunks, by its content alone. Keeps no bytes: whoever has them learns how long each chunk is.

import { bug } from '../base/errors.ts';
import { GearScan, windowBytes } from './gear-scan.ts';

export interface ChunkSizes {
  /** Even. */
  readonly minBytes: number;
  /** A power of two, from 1 KiB to 1 MiB. */
  readonly averageBytes: number;
  readonly maxBytes: number;
}

/** What servers that announce it recommend, and what cairn takes where none does. */
export const usualAverageBytes = 512 * 1024;

/** The sizes that belong to an average; undefined for one that the specification does not allow. */
export function chunkSizes(averageBytes: number): ChunkSizes | undefined {
  const isAllowed =
    averageBytes >= 1024 && averageBytes <= 1 << 20 && Number.isInteger(Math.log2(averageBytes));
  return isAllowed ? { minBytes: averageBytes / 4, averageBytes, maxBytes: averageBytes * 4 } : undefined;
}

/** How many bits more, and fewer, a mask has before and behind the average. */
const normalisation = 2;

// The paper's masks, spread over the hash so that distant bytes count; by number of bits, from 5.
const masks = [
  0x0000_0000_0180_4110n,
  0x0000_0000_0180_3110n,
  0x0000_0000_1803_5100n,
  0x0000_0018_0003_5300n,
  0x0000_0190_0035_3000n,
  0x0000_5900_0353_0000n,
  0x0000_d900_0353_0000n,
  0x0000_d901_0353_0000n,
  0x0000_d903_0353_0000n,
  0x0000_d903_1353_0000n,
  0x0000_d90f_0353_0000n,
  0x0000_d903_0353_7000n,
  0x0000_d907_0353_7000n,
  0x0000_d907_0753_7000n,
  0x0000_d917_0753_7000n,
  0x0000_d917_4753_7000n,
  0x0000_d917_6753_7000n,
  0x0000_d937_6753_7000n,
] as const;
const fewestBits = 5;

/** Cuts one stream. Wherever the stream is divided into pieces, the chunks are the same. */
export class ChunkCutter {
  readonly #sizes: ChunkSizes;
  readonly #scan: GearScan;
  /** Before the average a cut is less likely, behind it more. */
  readonly #strictMask: bigint;
  readonly #looseMask: bigint;
  /** Length of the chunk so far. */
  #length = 0;
  /** The length of a chunk that is cut there if anything follows. */
  #doubtful: number | undefined;

  constructor(sizes: ChunkSizes, seed = 0) {
    this.#sizes = sizes;
    this.#scan = new GearScan(seed);
    const bits = Math.log2(sizes.averageBytes);
    this.#strictMask = maskOf(bits + normalisation);
    this.#looseMask = maskOf(bits - normalisation);
  }

  /** The lengths of the chunks that end in these bytes, in their order. */
  push(bytes: Uint8Array): number[] {
    const ended: number[] = [];
    for (let at = 0; at < bytes.byteLength; at += windowBytes)
      this.#pushWindow(bytes.subarray(at, at + windowBytes), ended);
    return ended;
  }

  /** The length of the chunk that the stream's end has left, which may be short; undefined when there is none. */
  end(): number | undefined {
    const length = this.#length;
    this.#begin(0);
    return length === 0 ? undefined : length;
  }

  #pushWindow(window: Uint8Array, ended: number[]): void {
    const size = window.byteLength;
    if (this.#doubtful !== undefined) {
      ended.push(this.#doubtful);
      this.#begin(1);
    }
    this.#scan.load(window);
    for (let at = 0; at < size;) {
      const end = Math.min(size, at + this.#distance());
      const cut = this.#length < this.#sizes.minBytes ? end : this.#scan.scan(at, end, this.#mask());
      this.#length += cut - at;
      // The specification's loop takes bytes in pairs: a last one without its second is never a cut.
      if (cut < end && cut === size - 1 && this.#length % 2 === 0) {
        this.#doubtful = this.#length++;
        return;
      }
      if (cut < end || this.#length === this.#sizes.maxBytes) {
        ended.push(this.#length);
        this.#begin(0);
      }
      at = cut;
    }
  }

  // How far it is to where another rule holds.
  #distance(): number {
    const { minBytes, averageBytes, maxBytes } = this.#sizes;
    const next = [minBytes, averageBytes, maxBytes].find((bytes) => this.#length < bytes);
    return (next ?? maxBytes) - this.#length;
  }

  #mask(): bigint {
    return this.#length < this.#sizes.averageBytes ? this.#strictMask : this.#looseMask;
  }

  #begin(length: number): void {
    this.#length = length;
    this.#doubtful = undefined;
    this.#scan.restart();
  }
}

function maskOf(bits: number): bigint {
  return masks[bits - fewestBits] ?? bug(`no mask of ${bits} bits`);
}
