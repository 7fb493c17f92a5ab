// Two large files that differ in their last byte, compared by `cairn diff`, beside cmp.

import { appendFileSync, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../store/index.ts';
import { atMost, median, seconds, type Figure } from './figure.ts';
import { inFolder, writeRandom } from './machine.ts';
import { cairn, measure } from './process.ts';

export async function comparing(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const [before, after] = ['before', 'after'].map((name) => join(folder, name));
    for (const path of [before!, after!]) mkdirSync(path);
    await writeRandom(join(before!, 'large'), 2 ** 30);
    copyFileSync(join(before!, 'large'), join(after!, 'large'));
    appendFileSync(join(before!, 'large'), '0');
    appendFileSync(join(after!, 'large'), '1');
    const store = await openStore(join(folder, 'store'));
    const digests = [];
    for (const path of [before!, after!]) digests.push((await store.importFolder(path)).node.digest);
    await store.close();
    const ours = [];
    const peers = [];
    for (let run = 0; run < 3; run++) {
      const env = { CAIRN_STORE: store.path };
      ours.push((await measure([...cairn, 'diff', ...digests], { env })).wallMs);
      // cmp ends with 1 when they differ.
      const script = 'cmp "$0/large" "$1/large" || test $? = 1';
      peers.push((await measure(['sh', '-c', script, before!, after!])).wallMs);
    }
    return [
      {
        what: 'diff of two files of 1 GiB that differ in the last byte',
        measured: seconds(median(ours)),
        yardstick: `cmp ${seconds(median(peers))}`,
        ...atMost(median(ours) / median(peers), 2),
        command: 'cairn diff DIGEST DIGEST',
      },
    ];
  });
}
