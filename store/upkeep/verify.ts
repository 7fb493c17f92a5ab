// Reads everything again and says what is not as it should be. Changes nothing.

import { lstatSync } from 'node:fs';
import { chunksOf, totalBytes } from '../base/chunks.ts';
import type { Digest } from '../base/digest.ts';
import { listFolder } from '../base/list-folder.ts';
import { WorkerPool } from '../base/worker-pool.ts';
import { shards, type Layout } from '../layout.ts';
import { databaseCorrupt } from '../records/database-errors.ts';
import { leftByPlace } from '../records/left-blobs.ts';
import type { Damage, VerifyOptions, VerifyReport, VerifyStep } from '../store.ts';
import { askAgain } from './ask-again.ts';
import { isDamagedEntry, isDirectory, isRecord, missingContent, treesNow } from './damaged.ts';
import type { MaintenanceContext } from './maintenance-context.ts';

/** What one thread is handed at a time. */
const chunk = { items: 512, sizeBytes: 16 << 20 };

interface BlobFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
}

type Found = Omit<VerifyStep, 'name' | 'durationMs'> & { readonly damages: readonly Damage[] };

/** Verifies in named steps, each timed. */
export async function verifyStore(
  context: MaintenanceContext,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const steps: VerifyStep[] = [];
  const damages: Damage[] = [];
  const run = async (name: VerifyStep['name'], verify: () => Found | Promise<Found>): Promise<void> => {
    options.signal?.throwIfAborted();
    const started = performance.now();
    const found = await verify();
    damages.push(...found.damages);
    steps.push({
      name,
      durationMs: performance.now() - started,
      checked: found.checked,
      sizeBytes: found.sizeBytes,
    });
  };
  const [damage] = await context.database.damages();
  if (damage !== undefined) throw databaseCorrupt(context.layout.database, damage);
  await run('records', () => verifyRecords(context));
  await run('blobs', () => verifyBlobs(context, options));
  await run('directories', () => verifyDirectories(context));
  await run('trees', () => verifyTrees(context));
  let left: VerifyReport['left'] = [];
  await run('realisations', () => {
    const found = verifyRealisations(context);
    ({ left } = found);
    return found;
  });
  return { steps, left, damages: await askAgain(context, damages, options.signal) };
}

// Every blob's bytes have the digest that is its name; all processors hash, from the first files found on.
async function verifyBlobs(
  { layout }: MaintenanceContext,
  { signal, onProgress }: VerifyOptions,
): Promise<Found> {
  const pool = new WorkerPool<readonly string[], readonly (string | undefined)[]>(
    'store/workers/verify.ts',
    (error) => error,
  );
  let [checked, sizeBytes, doneBytes] = [0, 0, 0];
  const verify = async (files: readonly BlobFile[]): Promise<Damage[]> => {
    const hashes = await pool.run(files.map(({ path }) => path));
    signal?.throwIfAborted();
    doneBytes += totalBytes(files);
    onProgress?.(doneBytes, sizeBytes);
    return files.filter(({ name }, at) => hashes[at] !== name.slice(0, 64)).map(blobDamage);
  };
  try {
    const verified: Promise<Damage[]>[] = [];
    for (const files of chunksOf(blobFiles(layout), chunk)) {
      const damages = verify(files);
      // It is looked at below; if listing fails before that, the failure of this one is of no interest.
      damages.catch(() => undefined);
      verified.push(damages);
      checked += files.length;
      sizeBytes += totalBytes(files);
    }
    return { checked, sizeBytes, damages: (await Promise.all(verified)).flat() };
  } finally {
    await pool.close();
  }
}

function blobDamage({ path, name }: BlobFile): Damage {
  return { kind: 'blob', path, name };
}

function* blobFiles(layout: Layout): Generator<BlobFile> {
  for (const shard of shards) {
    const folder = `${layout.blobs}/${shard}`;
    for (const name of listFolder(folder)) {
      const path = `${folder}/${name}`;
      const stats = lstatSync(path, { throwIfNoEntry: false });
      // Collected meanwhile.
      if (stats !== undefined) yield { path, name, sizeBytes: stats.size };
    }
  }
}

// What cannot be told by a digest, as directories can.
const tables = [
  'realisations',
  'memos',
  'lineages',
  'descriptions',
  'durations',
  'roots',
  'cached',
  'signed',
  'left',
] as const;

function verifyRecords({ database }: MaintenanceContext): Found {
  const damages: Damage[] = [];
  let [checked, sizeBytes] = [0, 0];
  for (const table of tables) {
    for (const { key, value } of database.table(table).inspect()) {
      checked++;
      sizeBytes += value?.byteLength ?? 0;
      if (!isRecord(table, key, value)) damages.push({ kind: 'record', table, key });
    }
  }
  return { checked, sizeBytes, damages };
}

function verifyDirectories({ database }: MaintenanceContext): Found {
  const damages: Damage[] = [];
  let [checked, sizeBytes] = [0, 0];
  for (const { key, value } of database.table('directories').inspect()) {
    checked++;
    sizeBytes += value?.byteLength ?? 0;
    const digest = key as Digest;
    if (!isDirectory(digest, value)) damages.push({ kind: 'directory', digest });
  }
  return { checked, sizeBytes, damages };
}

// Folders that steps are run on, or that people look at, are what they were made as.
async function verifyTrees(context: MaintenanceContext): Promise<Found> {
  const { layout } = context;
  const trees = treesNow(context);
  const damages: Damage[] = [];
  let checked = 0;
  for (const place of [layout.trees, layout.results]) {
    for (const name of listFolder(place)) {
      const path = `${place}/${name}`;
      checked++;
      if (await isDamagedEntry(context, path, trees)) damages.push({ kind: 'tree', path });
    }
  }
  return { checked, sizeBytes: 0, damages };
}

function verifyRealisations(context: MaintenanceContext): Found & Pick<VerifyReport, 'left'> {
  const { checked, missing, left } = missingContent(context);
  return {
    checked,
    left: leftByPlace(context.database, (digest) => left.has(digest)),
    sizeBytes: 0,
    damages: [...missing].map(([digest, wantedBy]): Damage => ({ kind: 'missing', digest, wantedBy })),
  };
}
