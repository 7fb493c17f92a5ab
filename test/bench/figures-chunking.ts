// Cutting into chunks beside SHA-256 of the same bytes, on one core: both go over all that is moved in chunks.

import { createHash, randomBytes } from 'node:crypto';
import { ChunkCutter, chunkSizes, usualAverageBytes } from '../../store/chunking/chunk-cutter.ts';
import { atLeast, median, type Figure } from './figure.ts';

const rounds = 5;
const pieceBytes = 1 << 20;
const sizeBytes = 256 * pieceBytes;

export function chunking(): Promise<Figure[]> {
  const bytes = randomBytes(sizeBytes);
  const [ours, sha256]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(durationMs(() => cut(bytes)));
    sha256.push(durationMs(() => hash(bytes)));
  }
  return Promise.resolve([
    {
      what: 'cutting 256 MiB into chunks',
      measured: speed(median(ours)),
      yardstick: `SHA-256 ${speed(median(sha256))}`,
      ...atLeast(median(sha256) / median(ours), 0.8),
      command: 'new ChunkCutter(sizes).push(bytes)',
    },
  ]);
}

function cut(bytes: Uint8Array): void {
  const cutter = new ChunkCutter(chunkSizes(usualAverageBytes)!);
  for (let at = 0; at < bytes.length; at += pieceBytes) cutter.push(bytes.subarray(at, at + pieceBytes));
  cutter.end();
}

function hash(bytes: Uint8Array): void {
  const hasher = createHash('sha256');
  for (let at = 0; at < bytes.length; at += pieceBytes) hasher.update(bytes.subarray(at, at + pieceBytes));
  hasher.digest();
}

function durationMs(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

function speed(ms: number): string {
  return `${(sizeBytes / 1e6 / ms).toFixed(2)} GB/s`;
}
