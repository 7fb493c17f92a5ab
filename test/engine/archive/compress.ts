// Compressors for tests: those that node:zlib lacks. The programs are part of any Debian machine.

import lzma from 'lzma-native';
import { execFileSync } from 'node:child_process';

export async function xzOf(plain: Buffer): Promise<Buffer> {
  return throughLzma('easyEncoder', plain);
}

export async function lzmaOf(plain: Buffer): Promise<Buffer> {
  return throughLzma('aloneEncoder', plain);
}

/** An .xz of several blocks, as xz makes them of large input. */
export function xzBlocksOf(plain: Buffer): Buffer {
  return execFileSync('xz', ['-c', '-1', '--block-size=4096'], { input: plain, maxBuffer: 2 ** 30 });
}

export function bzip2Of(plain: Buffer, level = 9): Buffer {
  return execFileSync('bzip2', ['-c', `-${level}`], { input: plain, maxBuffer: 2 ** 30 });
}

async function throughLzma(coder: 'easyEncoder' | 'aloneEncoder', plain: Buffer): Promise<Buffer> {
  const encoder = lzma.createStream(coder, { preset: 1 });
  encoder.end(plain);
  const chunks: Buffer[] = [];
  for await (const chunk of encoder as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
