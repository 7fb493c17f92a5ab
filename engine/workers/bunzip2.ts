// Worker thread: decodes blocks of bzip2 files. Each message is a Bzip2Block, each answer its bytes, or undefined for one
// that is damaged.

import Bzip2 from '@foxglove/wasm-bz2';
import { parentPort } from 'node:worker_threads';
import { streamOfBlock, type Bzip2Block } from '../archive/bzip2-block.ts';

/** Before they are sorted, runs of 4 to 255 equal bytes become five: a block is never more than this times its level. */
const mostBytes = (100_000 / 5) * 255;

const loaded = Bzip2.init();

parentPort?.on('message', (block: Bzip2Block) => {
  void decode(block).then((plain) =>
    parentPort?.postMessage(plain, plain === undefined ? [] : [plain.buffer]),
  );
});

async function decode(block: Bzip2Block): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const bzip2 = await loaded;
  try {
    return new Uint8Array(bzip2.decompress(streamOfBlock(block), block.level * mostBytes));
  } catch {
    // The library tells damage of any kind, and nothing else, by a plain error.
    return undefined;
  }
}
