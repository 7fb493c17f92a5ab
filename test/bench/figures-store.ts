// The store beside the machine: hashing, importing, materialising, verifying. Beside openssl, cp and Nix.

import { randomBytes } from 'node:crypto';
import { appendFileSync, lstatSync, readdirSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openStore } from '../../store/index.ts';
import { atLeast, atMost, median, seconds, withoutPeer, type Figure } from './figure.ts';
import { inFolder, writeRandom } from './machine.ts';
import { cairn, findProgram, measure, measureOften } from './process.ts';

/** A folder to import: the unpacked kernel when `CAIRN_BENCH_TREE` names it, else one of the same shape made up here. */
export async function importing(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const tree = process.env['CAIRN_BENCH_TREE'] ?? (await makeTree(join(folder, 'tree')));
    const store = await openStore(join(folder, 'store'));
    const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
      const started = performance.now();
      return [await work(), performance.now() - started];
    };
    const [first, firstMs] = await timed(() => store.importFolder(tree));
    const copyMs = (await measure(['cp', '-a', tree, join(folder, 'copy')])).wallMs;
    const nixMs = await nixAdd(tree);
    const changed = firstFile(tree);
    const again = await besideLstat(tree, async () => {
      appendFileSync(changed, '\n');
      await store.importFolder(tree);
    });
    const [folderPath, materialiseMs] = await timed(() => store.materialise(first.node.digest));
    const [, sameProcessMs] = await timed(() => store.materialise(first.node.digest));
    const otherProcess = await besideLstat(folderPath, async () => {
      const other = await openStore(store.path);
      await other.materialise(first.node.digest);
      await other.close();
    });
    const linkMs = (await measure(['cp', '-al', folderPath, join(folder, 'links')])).wallMs;
    // What no link shows through is a file of its own: the least that any such folder costs is what making its files costs.
    const plainCopy = ['cp', '-r', '--reflink=never', folderPath, join(folder, 'plain-copy')];
    const plainCopyMs = (await measure(plainCopy)).wallMs;
    await store.close();
    return [
      {
        what: `importing ${first.files} files`,
        measured: seconds(firstMs),
        command: 'store.importFolder(tree)',
        ...(nixMs === undefined
          ? {
              yardstick: `cp -a ${seconds(copyMs)} (no nix on PATH)`,
              ratio: firstMs / copyMs,
              bound: '≤ 1 of nix store add',
              isMet: true,
            }
          : {
              yardstick: `nix store add ${seconds(nixMs)}, cp -a ${seconds(copyMs)}`,
              ...atMost(firstMs / nixMs, 1),
            }),
      },
      {
        what: 'importing it again after one file changed',
        measured: seconds(again.ms),
        yardstick: `lstat of all its files ${seconds(again.statMs)}`,
        ...atMost(again.ms / again.statMs, 2),
        command: 'store.importFolder(tree)',
      },
      {
        what: 'materialising it',
        measured: seconds(materialiseMs),
        yardstick: `cp -al ${seconds(linkMs)}`,
        ...atMost(materialiseMs / linkMs, 2.5),
        command: 'store.materialise(tree)',
      },
      {
        what: 'materialising it, beside files that are no links either',
        measured: seconds(materialiseMs),
        yardstick: `cp -r ${seconds(plainCopyMs)}`,
        ...atMost(materialiseMs / plainCopyMs, 1),
        command: 'store.materialise(tree)',
      },
      {
        what: 'materialising it the second time',
        measured: seconds(sameProcessMs),
        yardstick: `cp -al ${seconds(linkMs)}`,
        ...atMost(sameProcessMs / linkMs, 0.01),
        command: 'store.materialise(tree)',
      },
      {
        what: 'the same in the next process, which looks whether anybody has altered it',
        measured: seconds(otherProcess.ms),
        yardstick: `lstat of all its files ${seconds(otherProcess.statMs)}`,
        ...atMost(otherProcess.ms / otherProcess.statMs, 2.5),
        command: 'store.materialise(tree)',
      },
    ];
  });
}

/** One large file into the store, beside openssl on the same processor. */
export async function hashing(): Promise<Figure[]> {
  if (findProgram('openssl') === undefined) {
    return [
      {
        what: 'hashing one large file',
        measured: '',
        command: 'openssl speed sha256',
        ...withoutPeer('no openssl on PATH', '≥ 0.9'),
      },
    ];
  }
  return inFolder(async (folder) => {
    const sizeBytes = 1 << 30;
    const store = await openStore(join(folder, 'store'));
    const rates: number[] = [];
    for (let run = 0; run < 3; run++) {
      const path = join(folder, 'large');
      await writeRandom(path, sizeBytes);
      const batch = store.begin();
      const started = performance.now();
      await batch.takeFile(path, false);
      rates.push(sizeBytes / (performance.now() - started));
      await batch.discard();
    }
    await store.close();
    const { stdout } = await measure([
      'openssl',
      'speed',
      '-seconds',
      '1',
      '-bytes',
      '16384',
      '-mr',
      'sha256',
    ]);
    const peer = Number(/\+F:\d+:sha256:([\d.]+)/.exec(stdout)?.[1]) / 1000;
    const ours = Math.max(...rates);
    return [
      {
        what: 'hashing one file of 1 GiB into the store',
        measured: `${(ours / 1e6).toFixed(2)} GB/s`,
        yardstick: `openssl speed sha256, 16 KiB blocks ${(peer / 1e6).toFixed(2)} GB/s`,
        ...atLeast(ours / peer, 0.9),
        command: 'batch.takeFile(file)',
      },
    ];
  });
}

/** Re-hashing all of a store as large as one with a few images in it, all of it cached, beside what the cores can hash. */
export async function verifying(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const store = await openStore(join(folder, 'store'));
    const batch = store.begin();
    let sizeBytes = 0;
    const wantedBytes = Math.min(12e9, freemem() / 2);
    while (sizeBytes < wantedBytes) {
      const bytes = randomBytes(1 << 21);
      batch.addBytes(bytes);
      sizeBytes += bytes.length;
    }
    await batch.commit();
    await store.close();
    const { wallMs } = await measureOften(
      [...cairn, 'store', 'verify', '--json'],
      { env: { CAIRN_STORE: join(folder, 'store') } },
      3,
    );
    const [ours, peer] = [sizeBytes / wallMs, await hashRateOfCores()];
    return [
      {
        what: `store verify of ${(sizeBytes / 1e9).toFixed(1)} GB`,
        measured: `${(ours / 1e6).toFixed(2)} GB/s`,
        yardstick: `SHA-256 in memory on ${availableParallelism()} cores ${(peer / 1e6).toFixed(2)} GB/s`,
        ...atLeast(ours / peer, 0.8),
        command: 'cairn store verify',
      },
    ];
  });
}

async function nixAdd(tree: string): Promise<number | undefined> {
  if (findProgram('nix') === undefined) return undefined;
  const name = `bench-${process.pid}`;
  return (
    await measure([
      'nix',
      '--extra-experimental-features',
      'nix-command',
      'store',
      // The name that every version knows for what is "add" in newer ones.
      'add-path',
      '--name',
      name,
      tree,
    ])
  ).wallMs;
}

// As many files and bytes as an unpacked kernel: 86,000 files of 17 KB on average in 5,700 folders.
async function makeTree(root: string): Promise<string> {
  const script = `import os,random
random.seed(1)
for folder in range(5700):
    path=os.path.join(${JSON.stringify(root)},str(folder//100),str(folder)); os.makedirs(path)
    for name in range(15):
        with open(os.path.join(path,f"{name}.c"),"wb") as out: out.write(random.randbytes(int(random.expovariate(1/17000))))`;
  await measure(['python3', '-c', script]);
  return root;
}

function firstFile(folder: string): string {
  const entries = readdirSync(folder, { withFileTypes: true });
  const file = entries.find((entry) => entry.isFile());
  return file === undefined ? firstFile(join(folder, entries[0]!.name)) : join(folder, file.name);
}

/**
 * The medians of some work and of lstat of a folder's files, taken in turns: what was copied just before is still being written
 * in the first round, and what the kernel knows of the files by heart is the same for both from the second on.
 */
async function besideLstat(
  folder: string,
  work: () => Promise<void>,
): Promise<{ ms: number; statMs: number }> {
  const [taken, stats]: [number[], number[]] = [[], []];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    await work();
    taken.push(performance.now() - started);
    stats.push(statAll(folder));
  }
  return { ms: median(taken), statMs: median(stats) };
}

function statAll(root: string): number {
  const paths: string[] = [];
  const pending = [root];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      paths.push(path);
      if (entry.isDirectory()) pending.push(path);
    }
  }
  const started = performance.now();
  for (const path of paths) lstatSync(path);
  return performance.now() - started;
}

// Every core hashes 64 KiB blocks for a second.
async function hashRateOfCores(): Promise<number> {
  const source = `const { parentPort } = require('node:worker_threads'); const { createHash } = require('node:crypto');
    const block = Buffer.alloc(65536, 7), hash = createHash('sha256'), started = performance.now(); let bytes = 0;
    while (performance.now() - started < 1000) { hash.update(block); bytes += block.length; }
    parentPort.postMessage(bytes / (performance.now() - started));`;
  const rates = Array.from({ length: availableParallelism() }, async () => {
    const worker = new Worker(source, { eval: true });
    const [rate] = await Promise.all([
      new Promise<number>((resolve) => worker.once('message', resolve)),
      new Promise((resolve) => worker.once('exit', resolve)),
    ]);
    return rate;
  });
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
}
