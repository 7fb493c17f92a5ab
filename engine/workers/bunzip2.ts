// Worker thread: decodes blocks of bzip2 files. Each message is some of them, each answer what they hold, undefined for one
// that is damaged; fewer than were asked for when they become too much for one message.

import Bzip2 from '@foxglove/wasm-bz2';
import { parentPort } from 'node:worker_threads';
import { streamOfBlock, type Bzip2Block } from '../archive/bzip2-block.ts';

/** Before they are sorted, runs of 4 to 255 equal bytes become five: a block is never more than this times its level. */
const mostBytes = (100_000 / 5) * 255;
/** Where an answer ends, with the block that reaches it. */
const mostBytesInAnswer = 4 * 2 ** 20;

const loaded = Bzip2.init();

parentPort?.on('message', (blocks: readonly Bzip2Block[]) => {
  void loaded.then((bzip2) => {
    const plains = inOneBuffer([...decodeAll(bzip2, blocks)]);
    const buffer = plains.find((plain) => plain !== undefined)?.buffer;
    parentPort?.postMessage(plains, buffer ? [buffer] : []);
  });
});

type Plain = Uint8Array<ArrayBuffer> | undefined;

function* decodeAll(bzip2: Bzip2, blocks: readonly Bzip2Block[]): Generator<Plain> {
  let bytes = 0;
  for (const block of blocks) {
    const plain = decode(bzip2, block);
    yield plain;
    bytes += plain?.length ?? 0;
    if (bytes >= mostBytesInAnswer) return;
  }
}

function decode(bzip2: Bzip2, block: Bzip2Block): Plain {
  try {
    return new Uint8Array(bzip2.decompress(streamOfBlock(block), block.level * mostBytes));
  } catch {
    // The library tells damage of any kind, and nothing else, by a plain error.
    return undefined;
  }
}

// To hand over many buffers takes longer than to copy what is in them.
function inOneBuffer(plains: readonly Plain[]): readonly Plain[] {
  if (plains.length === 1) return plains;
  const all = new Uint8Array(plains.reduce((bytes, plain) => bytes + (plain?.length ?? 0), 0));
  let at = 0;
  return plains.map((plain) => {
    if (plain === undefined) return undefined;
    all.set(plain, at);
    at += plain.length;
    return all.subarray(at - plain.length, at);
  });
}
