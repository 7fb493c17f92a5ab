// Reads everything again and says what is not as it should be. Changes nothing.

import { lstatSync } from 'node:fs';
import { listFolder } from '../base/list-folder.ts';
import { UserError } from '../base/errors.ts';
import { chunksOf, totalBytes } from '../base/chunks.ts';
import { digestOf, parseDigest, type Digest } from '../base/digest.ts';
import {
  blobName,
  blobPath,
  peopleDirectoryMode,
  shards,
  stepDirectoryMode,
  type Layout,
} from '../layout.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import type { Database } from '../records/database.ts';
import { databaseCorrupt } from '../records/database-errors.ts';
import { addReachable, directoryByHash, emptyContent, readDirectory } from '../records/reachable.ts';
import { decodeRealisation } from '../records/realisation-record.ts';
import type { Damage, VerifyOptions, VerifyReport, VerifyStep } from '../store.ts';
import { alterationOf, type SealedContent } from '../trees/seal.ts';
import { StoredTrees } from '../trees/stored-trees.ts';
import { contentName, parseEntryName, sealedContent, type ContentNode } from '../trees/tree-folders.ts';
import { decodeDirectory } from '../trees/tree.ts';
import { WorkerPool } from '../base/worker-pool.ts';

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
  await run('realisations', () => verifyRealisations(context));
  return { steps, damages };
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
const tables = ['realisations', 'memos', 'lineages', 'descriptions', 'durations', 'roots', 'cached'] as const;

function verifyRecords({ database }: MaintenanceContext): Found {
  const damages: Damage[] = [];
  let [checked, sizeBytes] = [0, 0];
  for (const table of tables) {
    for (const { key, value } of database.table(table).inspect()) {
      checked++;
      sizeBytes += value?.byteLength ?? 0;
      if (value === undefined || (table === 'realisations' && !isRealisation(key as Digest, value)))
        damages.push({ kind: 'record', table, key });
    }
  }
  return { checked, sizeBytes, damages };
}

// Its checksum may be right all the same: somebody else wrote it.
function isRealisation(action: Digest, bytes: Uint8Array): boolean {
  try {
    decodeRealisation(action, bytes);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function verifyDirectories({ database }: MaintenanceContext): Found {
  const damages: Damage[] = [];
  let [checked, sizeBytes] = [0, 0];
  for (const { key, value } of database.table('directories').inspect()) {
    checked++;
    sizeBytes += value?.byteLength ?? 0;
    if (value === undefined || !isDirectoryOf(key as Digest, value))
      damages.push({ kind: 'directory', digest: key as Digest });
  }
  return { checked, sizeBytes, damages };
}

function isDirectoryOf(digest: Digest, bytes: Uint8Array): boolean {
  if (digestOf(bytes) !== digest) return false;
  try {
    decodeDirectory(bytes);
    return true;
  } catch {
    return false;
  }
}

// Folders that steps are run on, or that people look at, are what they were made as.
async function verifyTrees(context: MaintenanceContext): Promise<Found> {
  const { layout, database } = context;
  const trees = new StoredTrees(
    () => database.table('directories'),
    () => database.deletions(),
  );
  const damages: Damage[] = [];
  let checked = 0;
  for (const [place, directoryMode] of [
    [layout.trees, stepDirectoryMode],
    [layout.results, peopleDirectoryMode],
  ] as const) {
    for (const name of listFolder(place)) {
      const path = `${place}/${name}`;
      const node = nodeOf(name, path, database);
      checked++;
      if (node === undefined || (await isAltered(sealedContent(path, node, directoryMode), trees)))
        damages.push({ kind: 'tree', path });
    }
  }
  return { checked, sizeBytes: 0, damages };
}

async function isAltered(sealed: SealedContent, trees: StoredTrees): Promise<boolean> {
  try {
    return (await alterationOf(sealed, trees)) !== undefined;
  } catch (error) {
    if (error instanceof UserError) return true; // one of its directories is damaged, which is reported as such
    throw error;
  }
}

// What an entry is to hold, as far as its name and the store's directories say it.
function nodeOf(name: string, path: string, database: Database): ContentNode | undefined {
  const entry = parseEntryName(name);
  if (entry === undefined || lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    return undefined;
  const content = lstatSync(`${path}/${contentName}`, { throwIfNoEntry: false });
  if (content?.isFile() === true) {
    const digest = parseDigest(`${entry.hash}/${content.size}`);
    return digest && { kind: 'blob', digest, executable: entry.isProgram };
  }
  const digest = directoryByHash(database, entry.hash);
  return digest && { kind: 'tree', digest };
}

// Everything that a realisation promises is there.
function verifyRealisations({ layout, database }: MaintenanceContext): Found {
  const missing = new Map<Digest, string>();
  let checked = 0;
  for (const { key, value } of database.table('realisations').inspect()) {
    checked++;
    if (value === undefined || !isRealisation(key as Digest, value)) continue; // which is reported as such
    const {
      claim: { outputs },
      facts: { name, log },
    } = decodeRealisation(key as Digest, value);
    const content = emptyContent();
    if (log !== undefined) content.blobs.add(log);
    try {
      addReachable(content, Object.values(outputs), database);
    } catch {
      continue; // a damaged directory, which is reported as such
    }
    for (const digest of content.directories)
      if (readDirectory(database, digest) === undefined) missing.set(digest, name);
    for (const digest of content.blobs) if (!blobIsThere(digest)) missing.set(digest, name);
  }
  return {
    checked,
    sizeBytes: 0,
    damages: [...missing].map(([digest, wantedBy]): Damage => ({ kind: 'missing', digest, wantedBy })),
  };

  function blobIsThere(digest: Digest): boolean {
    return [false, true].some(
      (executable) =>
        lstatSync(blobPath(layout, blobName(digest, executable)), { throwIfNoEntry: false }) !== undefined,
    );
  }
}
