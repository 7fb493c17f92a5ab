// Puts content onto an open device, and reads it back. Knows nothing of whether it should.

import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { isErrno, UserError } from '../../store/base/errors.ts';
import type { DiskContent, Piece } from './disk-content.ts';

export interface Progress {
  readonly signal: AbortSignal;
  /** Called with how much is done. */
  readonly update: (doneBytes: number) => void;
}

/** A piece that is on the device, with the checksum it had when it was read. */
export type Written = Piece & { readonly sha256: string };

const pageBytes = 65_536;
const bufferBytes = 64 * pageBytes;
/** No device has larger sectors. */
const blockBytes = 4096;
/** How much may be on its way to the device: what progress says should be true. */
const unsyncedBytes = 32 * 2 ** 20;

/** What makes a disk one: its first bytes have the partition table, its last ones may have a copy. */
const edgeBytes = 2 ** 20;

/**
 * Writes all pieces and waits until the device has them. What makes the disk one goes first, and comes last: until
 * everything else is there, nobody takes it for whole.
 * @throws UserError `STORE_CORRUPT` when a file is not what its block map says, `DEVICE_UNSUITABLE` when writing fails.
 */
export async function writeContent(
  device: FileHandle,
  { sizeBytes, pieces }: DiskContent,
  { signal, update }: Progress,
): Promise<readonly Written[]> {
  const tail = Math.max(edgeBytes, sizeBytes - edgeBytes);
  const blank = Buffer.alloc(Math.min(edgeBytes, sizeBytes));
  await ioOf('writing', () => writeAll(device, blank, 0));
  await ioOf('writing', () => writeAll(device, blank.subarray(0, Math.max(0, sizeBytes - tail)), tail));
  await ioOf('writing', () => device.sync());
  const written: Written[] = [];
  const last: { readonly bytes: Buffer; readonly offset: number }[] = [];
  let [done, unsynced] = [0, 0];
  for (const piece of pieces) {
    const source = await open(piece.path, 'r');
    const [hash, expected] = [createHash('sha256'), createHash(piece.checksum?.algorithm ?? 'sha256')];
    try {
      for await (const { chunk, at } of chunksOf(source, { ...piece, from: piece.startByte })) {
        signal.throwIfAborted();
        hash.update(chunk);
        if (piece.checksum !== undefined) expected.update(chunk);
        for (const { from, to, isEdge } of cut(piece.offsetBytes + at, chunk.length, [
          edgeBytes,
          tail,
          sizeBytes,
        ])) {
          const bytes = chunk.subarray(from - piece.offsetBytes - at, to - piece.offsetBytes - at);
          if (isEdge) last.push({ bytes: Buffer.from(bytes), offset: from });
          else await ioOf('writing', () => writeAll(device, bytes, from));
        }
        done += chunk.length;
        unsynced += chunk.length;
        if (unsynced >= unsyncedBytes) {
          await ioOf('writing', () => device.datasync());
          unsynced = 0;
          update(done);
        }
      }
    } finally {
      await source.close();
    }
    if (piece.checksum !== undefined && expected.digest('hex') !== piece.checksum.hex) {
      throw new UserError('STORE_CORRUPT', `${piece.path} is not what its block map says`, {
        hint: 'Run `cairn store verify`, then `cairn store repair`. What is on the device now is not usable.',
        fault: 'environment',
      });
    }
    written.push({ ...piece, sha256: hash.digest('hex') });
  }
  await ioOf('writing', () => device.sync());
  for (const { bytes, offset } of last.sort((a, b) => b.offset - a.offset)) {
    signal.throwIfAborted();
    await ioOf('writing', () => writeAll(device, bytes, offset));
  }
  await ioOf('writing', () => device.sync());
  return written;
}

/** A stretch of the device in parts, each of which is at an edge of the disk or is not. */
function* cut(
  start: number,
  length: number,
  [head, tail, size]: readonly [number, number, number],
): Generator<{ readonly from: number; readonly to: number; readonly isEdge: boolean }> {
  for (let from = start; from < start + length;) {
    const next = [head, tail, size].find((bound) => bound > from) ?? Infinity;
    const to = Math.min(start + length, next);
    yield { from, to, isEdge: from < head || (from >= tail && from < size) };
    from = to;
  }
}

/**
 * Reads all of it back from the device itself and compares; `path` is what it is called.
 * @throws UserError `DEVICE_UNSUITABLE` saying where it gave something else.
 */
export async function verifyContent(
  { handle, path }: { readonly handle: FileHandle; readonly path: string },
  written: readonly Written[],
  { signal, update }: Progress,
): Promise<void> {
  const device = await openPastCache(handle);
  let done = 0;
  try {
    for (const piece of written) {
      const hash = createHash('sha256');
      for await (const { chunk } of chunksOf(device, { ...piece, from: piece.offsetBytes })) {
        signal.throwIfAborted();
        hash.update(chunk);
        done += chunk.length;
        update(done);
      }
      if (hash.digest('hex') !== piece.sha256) {
        throw new UserError(
          'DEVICE_UNSUITABLE',
          `${path} does not give back what was written, between byte ${piece.offsetBytes} and ${piece.offsetBytes + piece.sizeBytes}`,
          { hint: 'It is worn out, or smaller than it says. Use another one.', fault: 'environment' },
        );
      }
    }
  } finally {
    await device.close();
  }
}

// What was just written is still in memory; only O_DIRECT asks the device. Some file systems know no O_DIRECT. Whatever has
// the path by now, it is the open device that is read.
async function openPastCache({ fd }: FileHandle): Promise<FileHandle> {
  const path = `/proc/self/fd/${fd}`;
  try {
    return await open(path, constants.O_RDONLY | constants.O_DIRECT);
  } catch (error) {
    if (isErrno(error, 'EINVAL')) return open(path, constants.O_RDONLY);
    throw error;
  }
}

/** Parts of a file from `from` on; each is valid until the next is asked for. */
async function* chunksOf(
  file: FileHandle,
  { from, sizeBytes }: { readonly from: number; readonly sizeBytes: number },
): AsyncGenerator<{ readonly chunk: Uint8Array; readonly at: number }> {
  const buffer = alignedBuffer();
  for (let at = 0; at < sizeBytes;) {
    const wanted = Math.min(buffer.length, sizeBytes - at);
    // Whole blocks, because O_DIRECT reads nothing else.
    const { bytesRead } = await ioOf('reading', () =>
      file.read(buffer, 0, Math.ceil(wanted / blockBytes) * blockBytes, from + at),
    );
    if (bytesRead === 0) throw ioError('reading', `it ends at byte ${from + at}`);
    const chunk = buffer.subarray(0, Math.min(bytesRead, wanted));
    yield { chunk, at };
    at += chunk.length;
  }
}

// O_DIRECT wants memory that begins at a page; of all that JavaScript can make, WebAssembly's does. TypeScript knows it
// only with a browser's library.
function alignedBuffer(): Uint8Array {
  const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: AlignedMemory };
  const pages = bufferBytes / pageBytes;
  return new Uint8Array(new wasm.Memory({ initial: pages, maximum: pages }).buffer);
}

interface AlignedMemory {
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => {
    readonly buffer: ArrayBuffer;
  };
}

async function writeAll(device: FileHandle, chunk: Uint8Array, offset: number): Promise<void> {
  for (let at = 0; at < chunk.length;) {
    const { bytesWritten } = await device.write(chunk, at, chunk.length - at, offset + at);
    at += bytesWritten;
  }
}

async function ioOf<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isErrno(error, 'EIO', 'ENOSPC', 'ENXIO', 'ENODEV', 'EREMOTEIO', 'EPERM', 'ETIMEDOUT')) throw error;
    throw ioError(what, error.message, error);
  }
}

function ioError(what: string, message: string, cause?: unknown): UserError {
  return new UserError('DEVICE_UNSUITABLE', `${what} failed: ${message}`, {
    hint: 'The device may have been pulled out, or be broken. What is on it now is not usable.',
    fault: 'environment',
    cause,
  });
}
