// zstd of bytes in memory: by node:zlib where it has zstd (Node 22.15 and later), else by a wasm build of it; in threads either way.
// What claims to become larger than it may is refused before any memory is taken for it.

import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { exactBytes } from '../base/exact-bytes.ts';
import { letGo } from '../base/let-go.ts';
import { WorkerPool } from '../base/worker-pool.ts';
import type { ZstdJob } from './wasm-codec.ts';

type Compress = (bytes: Uint8Array) => Promise<Uint8Array>;
type Decompress = (
  bytes: Uint8Array,
  frame: { readonly sizeBytes: number; readonly isGiven: boolean },
) => Promise<Uint8Array>;
interface Codec {
  readonly compress: Compress;
  readonly decompress: Decompress;
}

type Callback = (error: Error | null, result: Uint8Array) => void;
// Newer than the Node version that the types are of.
const native = zlib as unknown as {
  readonly zstdCompress?: (bytes: Uint8Array, options: object, callback: Callback) => void;
  readonly zstdDecompress?: (bytes: Uint8Array, options: object, callback: Callback) => void;
};

/** That of zstd(1) and of node:zlib when nothing is said. */
const level = 3;
/** Less is done on this thread: quicker than the trip to another. */
const threadedBytes = 64 * 1024;

let loaded: Promise<Codec> | undefined;
/** An idle thread keeps no process alive. */
let threads: WorkerPool<ZstdJob, Uint8Array> | undefined;

/** One frame that says how large its content is. */
export async function compressFrame(bytes: Uint8Array): Promise<Uint8Array> {
  return (await codec()).compress(bytes);
}

/** The content of exactly one frame. @throws Error for anything else, and for content of more than `mostBytes` */
export function decompressFrame(frame: Uint8Array, mostBytes: number): Promise<Uint8Array> {
  return decompressed(frame, mostBytes, false);
}

/** The same of a frame that nobody needs afterwards: its memory is given back. */
export async function decompressGiven(frame: Uint8Array, mostBytes: number): Promise<Uint8Array> {
  try {
    return await decompressed(frame, mostBytes, true);
  } finally {
    letGo(frame);
  }
}

async function decompressed(frame: Uint8Array, mostBytes: number, isGiven: boolean): Promise<Uint8Array> {
  const sizeBytes = contentSize(frame);
  if (sizeBytes === undefined) throw new Error('it is no zstd frame that says its size');
  if (sizeBytes > mostBytes)
    throw new Error(`it claims to hold ${exactBytes(sizeBytes)}, more than the ${mostBytes} allowed`);
  if (sizeBytes === 0) return new Uint8Array(0);
  let content: Uint8Array;
  try {
    content = await (await codec()).decompress(frame, { sizeBytes, isGiven });
  } catch (cause) {
    throw new Error('its zstd data is damaged', { cause });
  }
  if (content.byteLength !== sizeBytes) throw new Error('its zstd data is cut short');
  return content;
}

function codec(): Promise<Codec> {
  return (loaded ??= nativeCodec() ?? wasmCodec());
}

function nativeCodec(): Promise<Codec> | undefined {
  const { zstdCompress, zstdDecompress } = native;
  if (zstdCompress === undefined || zstdDecompress === undefined) return undefined;
  const [compress, decompress] = [promisify(zstdCompress), promisify(zstdDecompress)];
  return Promise.resolve({
    // Without it, a frame does not say its size.
    compress: (bytes) => compress(bytes, { pledgedSrcSize: bytes.byteLength }),
    decompress: (bytes, { sizeBytes }) => decompress(bytes, { maxOutputLength: sizeBytes }),
  });
}

function wasmCodec(): Promise<Codec> {
  const work = async (bytes: Uint8Array, { level, isGiven }: Work): Promise<Uint8Array> => {
    if (bytes.byteLength < threadedBytes) return (await import('./wasm-codec.ts')).byWasm({ bytes, level });
    // Bytes of their own go over to the thread; others would take along all that they are part of.
    const own = isGiven && isAll(bytes) ? bytes : new Uint8Array(bytes);
    threads ??= new WorkerPool('store/workers/zstd.ts', (error) => new Error(String(error)));
    return threads.run({ bytes: own, level }, [own.buffer as ArrayBuffer]);
  };
  return Promise.resolve({
    compress: (bytes) => work(bytes, { level, isGiven: false }),
    decompress: (bytes, { isGiven }) => work(bytes, { level: undefined, isGiven }),
  });
}

interface Work {
  /** To compress at; to decompress when there is none. */
  readonly level: number | undefined;
  readonly isGiven: boolean;
}

function isAll({ buffer, byteLength }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && byteLength === buffer.byteLength;
}

// RFC 8878 §3.1.1.1. Of a frame in one segment alone: others may ask for more memory than their content takes.
function contentSize(frame: Uint8Array): number | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== 0xfd2fb528) return undefined;
  const descriptor = bytes[4]!;
  if (((descriptor >> 5) & 1) === 0) return undefined;
  const at = 5 + [0, 1, 2, 4][descriptor & 3]!;
  const length = [1, 2, 4, 8][descriptor >> 6]!;
  if (bytes.length < at + length) return undefined;
  if (length === 1) return bytes[at]!;
  if (length === 2) return bytes.readUInt16LE(at) + 256;
  return length === 4 ? bytes.readUInt32LE(at) : Number(bytes.readBigUInt64LE(at));
}
