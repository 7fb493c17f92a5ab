// Unpacking beside the program that does it alone: bzip2, of which one file is large and the other many small streams.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limitsWith } from '../../engine/archive/limits.ts';
import { unpackArchive } from '../../engine/archive/unpack-archive.ts';
import { UnpackWorkers } from '../../engine/archive/unpack-workers.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { openStore, type Store } from '../../store/index.ts';
import { atMost, median, seconds, withoutPeer, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { findProgram, measure } from './process.ts';

const rounds = 3;

/** A tar of 100 MB as one bzip2 stream, and one of 10 MB as 1,000 of them. */
export async function unpackingBzip2(): Promise<Figure[]> {
  const what = 'unpacking a bzip2';
  if (findProgram('bzip2') === undefined)
    return [{ what, measured: '', command: 'bzip2 -dc', ...withoutPeer('no bzip2 on PATH', '≤ 1.5') }];
  return inFolder(async (folder) => {
    const [large, many] = [join(folder, 'large.tar'), join(folder, 'many.tar')];
    makeTar(large, 100);
    makeTar(many, 10);
    execFileSync('sh', ['-c', `bzip2 -k ${large}; split -b 10500 --filter='bzip2 -c' ${many} >${many}.bz2`]);
    const store = await openStore(join(folder, 'store'));
    const workers = new UnpackWorkers();
    const figures: Figure[] = [];
    for (const [shape, path] of [
      ['of 100 MB', `${large}.bz2`],
      ['of 1,000 small streams', `${many}.bz2`],
    ] as const) {
      const [ours, peer]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        ours.push(await unpackingMs(path, store, workers));
        peer.push((await measure(['sh', '-c', `bzip2 -dc ${path} >/dev/null`])).wallMs);
      }
      figures.push({
        what: `${what} ${shape}`,
        measured: seconds(median(ours)),
        yardstick: `bzip2 -dc ${seconds(median(peer))}`,
        ...atMost(median(ours) / median(peer), 1.5),
        command: 'unpackArchive(file)',
      });
    }
    await workers.close();
    await store.close();
    return figures;
  });
}

async function unpackingMs(path: string, store: Store, workers: UnpackWorkers): Promise<number> {
  const batch = store.begin();
  const scratch = await store.scratch('unpack');
  const [signal, limits] = [new AbortController().signal, limitsWith()];
  const started = performance.now();
  await unpackArchive(path, { name: 'archive', strip: 0, batch, scratch, workers, signal, limits });
  const durationMs = performance.now() - started;
  await batch.discard();
  return durationMs;
}

// Files of a megabyte, each pieces of a large source file in another order.
function makeTar(path: string, megabytes: number): void {
  const source = readFileSync(join(packageRoot, 'node_modules/typescript/lib/typescript.js'));
  const pieceBytes = 4000;
  const folder = `${path}.files`;
  mkdirSync(folder);
  let at = 0;
  for (let file = 0; file < megabytes; file++) {
    const pieces = Array.from({ length: 1_000_000 / pieceBytes }, () => {
      at = (at + 7_654_321) % (source.length - pieceBytes);
      return source.subarray(at, at + pieceBytes);
    });
    writeFileSync(join(folder, `${file}.js`), Buffer.concat(pieces));
  }
  execFileSync('tar', ['-C', folder, '-cf', path, '.']);
}
