// Reads everything again and says what is not as it should be. Changes nothing.

import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { digestOf, type Digest } from '../base/digest.ts';
import { blobName, blobPath, shards, treePath, type Layout } from '../layout.ts';
import type { MaintenanceContext } from './maintenance-context.ts';
import {
  addReachable,
  emptyContent,
  readDirectory,
  recordsOf,
  type StoredRealisation,
} from '../records/reachable.ts';
import type { Damage, VerifyOptions, VerifyReport, VerifyStep } from '../store.ts';
import { decodeDirectory, emptyTree, type Directory } from '../trees/tree.ts';
import { WorkerPool } from '../base/worker-pool.ts';

/** What one thread is handed at a time. */
const chunkBytes = 16 << 20;
const chunkFiles = 512;

interface BlobFile {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
}

interface Chunk {
  readonly files: readonly BlobFile[];
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
  const verify = async (chunk: Chunk): Promise<Damage[]> => {
    const hashes = await pool.run(chunk.files.map(({ path }) => path));
    signal?.throwIfAborted();
    doneBytes += chunk.sizeBytes;
    onProgress?.(doneBytes, sizeBytes);
    return chunk.files.filter(({ name }, at) => hashes[at] !== name.slice(0, 64)).map(blobDamage);
  };
  try {
    const verified: Promise<Damage[]>[] = [];
    for (const chunk of chunksOf(blobFiles(layout))) {
      const damages = verify(chunk);
      // It is looked at below; if listing fails before that, the failure of this one is of no interest.
      damages.catch(() => undefined);
      verified.push(damages);
      checked += chunk.files.length;
      sizeBytes += chunk.sizeBytes;
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
    for (const name of readdirSync(folder)) {
      const path = `${folder}/${name}`;
      yield { path, name, sizeBytes: lstatSync(path).size };
    }
  }
}

function* chunksOf(files: Iterable<BlobFile>): Generator<Chunk> {
  let [chunk, sizeBytes]: [BlobFile[], number] = [[], 0];
  for (const file of files) {
    chunk.push(file);
    sizeBytes += file.sizeBytes;
    if (chunk.length < chunkFiles && sizeBytes < chunkBytes) continue;
    yield { files: chunk, sizeBytes };
    [chunk, sizeBytes] = [[], 0];
  }
  if (chunk.length > 0) yield { files: chunk, sizeBytes };
}

function verifyDirectories({ database }: MaintenanceContext): Found {
  const damages: Damage[] = [];
  let [checked, sizeBytes] = [0, 0];
  for (const { key, value } of database.table('directories').getRange()) {
    checked++;
    sizeBytes += value.length;
    if (!isDirectoryOf(key as Digest, value)) damages.push({ kind: 'directory', digest: key as Digest });
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

// Materialised folders hold links to blobs, which were hashed: it is enough that they are those very files.
function verifyTrees({ layout, database }: MaintenanceContext): Found {
  const known = new Map<string, Digest>([[emptyTree.digest.slice(0, 64), emptyTree.digest]]);
  for (const key of database.table('directories').getKeys()) known.set(key.slice(0, 64), key as Digest);
  const names = readdirSync(layout.trees);
  const damages = names.flatMap((name): Damage[] => {
    const digest = known.get(name);
    const path = digest === undefined ? `${layout.trees}/${name}` : treePath(layout, digest);
    return digest !== undefined && isTreeOf(digest, path) ? [] : [{ kind: 'tree', path }];
  });
  return { checked: names.length, sizeBytes: 0, damages };

  function isTreeOf(digest: Digest, path: string): boolean {
    const directory = readDirectory(database, digest);
    return directory !== undefined && holdsExactly(path, directory);
  }

  function holdsExactly(path: string, directory: Directory): boolean {
    const names = readdirSync(path);
    if (names.length !== directory.size) return false;
    return names.every((name) => {
      const node = directory.get(name);
      const child = `${path}/${name}`;
      const stats = lstatSync(child);
      if (node?.kind === 'tree') return stats.isDirectory() && isTreeOf(node.digest, child);
      if (node?.kind === 'symlink') return stats.isSymbolicLink() && readlinkSync(child) === node.target;
      if (node === undefined || !stats.isFile()) return false;
      const blob = lstatSync(blobPath(layout, blobName(node.digest, node.executable)), {
        throwIfNoEntry: false,
      });
      // A copy stands where a file has more links than the file system allows: those have the same size and mode.
      return (
        blob !== undefined &&
        (blob.ino === stats.ino || (blob.size === stats.size && blob.mode === stats.mode))
      );
    });
  }
}

// Everything that a realisation promises is there.
function verifyRealisations({ layout, database }: MaintenanceContext): Found {
  const missing = new Map<Digest, string>();
  let checked = 0;
  for (const [, { outputs, name, log }] of recordsOf<StoredRealisation>(database, 'realisations')) {
    checked++;
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
