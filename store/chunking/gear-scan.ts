// The inner loop of content-defined chunking, as WebAssembly, since JavaScript's numbers have no 64 bits: a rolling hash over
// bytes, until it has zeros where a mask has ones. Knows nothing of chunks, their sizes, or where the bytes come from.

import { createHash } from 'node:crypto';
import { assemble, type Instruction } from './wasm-module.ts';

/** What is looked at in one call, at most. */
export const windowBytes = 64 * 1024;

const tableBytes = 256 * 8;
const tableAt = 0;
const windowAt = tableBytes;

// Parameters and locals of the loop, and globals that it shares with us.
const [at, end] = [0, 1];
const hash = 2;
const [hashGlobal, maskGlobal] = [0, 1];

/**
 * `hash = (hash << 1) + GEAR[byte]` for each byte from `at` to `end`. Returns where the byte lies that made
 * `hash & mask` zero, or `end`.
 */
const loop: readonly Instruction[] = [
  ['global.get', hashGlobal],
  ['local.set', hash],
  ['block'],
  ['loop'],
  ['local.get', at],
  ['local.get', end],
  ['i32.ge_u'],
  ['br_if', 1],
  // hash << 1
  ['local.get', hash],
  ['i64.const', 1],
  ['i64.shl'],
  // GEAR[memory[at]]: eight bytes each, from the memory's start
  ['local.get', at],
  ['i32.load8_u', 0, 0],
  ['i32.const', 3],
  ['i32.shl'],
  ['i64.load', 3, tableAt],
  ['i64.add'],
  ['local.tee', hash],
  ['global.get', maskGlobal],
  ['i64.and'],
  ['i64.eqz'],
  ['br_if', 1],
  ['local.get', at],
  ['i32.const', 1],
  ['i32.add'],
  ['local.set', at],
  ['br', 0],
  ['end'],
  ['end'],
  ['local.get', hash],
  ['global.set', hashGlobal],
  ['local.get', at],
];

// Node has it, and the types of this project do not.
const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssembly }).WebAssembly;
interface WebAssembly {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

let made: { readonly module: object; readonly gear: readonly bigint[] } | undefined;

/** A rolling hash, and bytes it goes over. */
export class GearScan {
  readonly #window: Uint8Array;
  readonly #exports: GearExports;

  /** The seed makes other cuts of the same bytes. */
  constructor(seed: number) {
    made ??= { module: compile(), gear: gearTable() };
    this.#exports = new Instance(made.module).exports as GearExports;
    const { buffer } = this.#exports.memory;
    new BigUint64Array(buffer, tableAt, 256).set(made.gear.map((number) => number ^ BigInt(seed)));
    this.#window = new Uint8Array(buffer, windowAt, windowBytes);
  }

  /** Forgets the bytes so far. */
  restart(): void {
    this.#exports.hash.value = 0n;
  }

  /** Of the bytes since it was last restarted. */
  get hash(): bigint {
    return BigInt.asUintN(64, this.#exports.hash.value);
  }

  /** Puts bytes, at most a window, where they can be scanned. */
  load(bytes: Uint8Array): void {
    this.#window.set(bytes);
  }

  /**
   * Goes over loaded bytes from `from` to `to`, and stops at the first whose hash has no bit of the mask: its place is given,
   * or `to`.
   */
  scan(from: number, to: number, mask: bigint): number {
    this.#exports.mask.value = mask;
    return this.#exports.scan(windowAt + from, windowAt + to) - windowAt;
  }
}

interface GearExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly hash: { value: bigint };
  readonly mask: { value: bigint };
  readonly scan: (at: number, end: number) => number;
}

function compile(): object {
  return new Module(
    assemble({
      memoryBytes: windowAt + windowBytes,
      globals: { hash: 'i64', mask: 'i64' },
      function: { name: 'scan', parameters: ['i32', 'i32'], result: 'i32', locals: ['i64'], body: loop },
    }),
  );
}

// The first eight bytes of the MD5 of 64 times a byte, as a number with the highest first. (The specification names one byte; its
// test vectors, and what it calls reference implementations, take 64.)
function gearTable(): bigint[] {
  return Array.from({ length: 256 }, (_, byte) =>
    createHash('md5').update(Buffer.alloc(64, byte)).digest().readBigUInt64BE(),
  );
}
