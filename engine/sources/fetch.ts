// A pinned download: from its URLs and its SHA-256 to a blob in a batch. Knows the store's contract and the network;
// knows nothing of derivations' ids, of slots, or of when a download is wanted.

import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestSize, makeDigest, type Digest } from '../../store/base/digest.ts';
import { isErrno } from '../../store/base/errors.ts';
import type { Batch, Store } from '../../store/index.ts';
import { diskFull, fetchError, offlineError } from './fetch-error.ts';
import type { FetchRequest, PinOrigin } from './fetch-request.ts';
import { candidateUrls, snapshotUrls, type Mirrors } from './mirrors.ts';
import { PartialFile } from './sink.ts';
import { transfer, type Patience, type Transferred, type TransferFailure } from './transfer.ts';

export interface FetchOptions {
  readonly store: Pick<Store, 'path' | 'locks' | 'blobs'>;
  /** Gets the blob. Whoever made the batch commits it. */
  readonly batch: Batch;
  readonly mirrors: Mirrors;
  readonly signal: AbortSignal;
  /** Called at most ten times a second, and once more when all of it is there. */
  readonly onProgress?: (doneBytes: number, totalBytes: number | undefined) => void;
  /** Only folders of this machine are looked into. */
  readonly offline?: boolean;
  /** Which pin the request comes from; see `pinOrigins`. */
  readonly origin?: PinOrigin | undefined;
  readonly patience?: Partial<Patience>;
}

const staleAfterMs = 14 * 24 * 3600 * 1000;

/**
 * Downloads into a file that outlives this process, verifies it, and puts it into the batch; an interrupted download
 * is continued by whoever asks next. Of several processes one downloads and the others wait.
 * @throws UserError `FETCH_OFFLINE`, `FETCH_PIN_GONE`, `FETCH_HASH_MISMATCH`, `FETCH_FAILED`, `DISK_FULL`,
 * `CONFIG_INVALID` (the environment names a proxy that cannot be used); the
 * signal's reason when aborted.
 */
export async function fetchBlob(request: FetchRequest, options: FetchOptions): Promise<Digest> {
  const { store, signal } = options;
  const lock = await store.locks.acquire(`fetch-${request.sha256}`, { signal });
  try {
    return storedBlob(request, store) ?? (await download(request, options));
  } catch (error) {
    signal.throwIfAborted();
    throw isErrno(error, 'ENOSPC', 'EDQUOT') ? diskFull(request, error) : error;
  } finally {
    await lock.release();
  }
}

function storedBlob({ sha256, sizeBytes }: FetchRequest, store: FetchOptions['store']): Digest | undefined {
  if (sizeBytes === undefined) return undefined;
  const digest = makeDigest(sha256, sizeBytes);
  return store.blobs.has(digest) ? digest : undefined;
}

async function download(request: FetchRequest, options: FetchOptions): Promise<Digest> {
  const { store, signal } = options;
  const urls = usableUrls(request, options);
  const folder = join(store.path, 'downloads');
  const path = join(folder, request.sha256);
  await mkdir(folder, { recursive: true });
  const file = await PartialFile.open(path, signal);
  try {
    const digest = await fill(file, urls, { request, options });
    options.batch.adopt(path, digest, false);
    return digest;
  } finally {
    await file.close();
    if (file.sizeBytes === 0) await rm(path, { force: true });
    await removeStale(folder);
  }
}

async function fill(
  file: PartialFile,
  urls: readonly string[],
  { request, options }: { readonly request: FetchRequest; readonly options: FetchOptions },
): Promise<Digest> {
  const { sha256, sizeBytes } = request;
  const from = (places: readonly string[]): Promise<Transferred> =>
    transfer(places, file, {
      expected: { sha256, ...(sizeBytes !== undefined && { sizeBytes }) },
      signal: options.signal,
      onProgress: atMostEvery(100, (doneBytes) => options.onProgress?.(doneBytes, sizeBytes)),
      patience: options.patience,
    });
  let result = await from(urls);
  const failures = failuresOf(result);
  const hasLeft = failures.length > 0 && failures.every(({ kind }) => kind === 'gone');
  const kept = hasLeft ? keptUrls(request, options) : [];
  if (kept.length > 0) result = await from(kept);
  if (result.kind === 'complete') {
    options.onProgress?.(digestSize(result.digest), sizeBytes);
    return result.digest;
  }
  if (hasLeft && options.offline === true) throw offlineError(request);
  throw fetchError(request, { failures, kept: kept.length > 0 ? result.failures : [] }, options.origin);
}

function failuresOf(result: Transferred): readonly TransferFailure[] {
  return result.kind === 'failed' ? result.failures : [];
}

function usableUrls(request: FetchRequest, options: FetchOptions): string[] {
  const urls = allowed(candidateUrls(request, options.mirrors), options);
  if (urls.length === 0) throw offlineError(request);
  return urls;
}

/** Where what has left the places it was pinned at is kept for good. */
function keptUrls({ urls }: FetchRequest, options: FetchOptions): string[] {
  const { mirrors, origin } = options;
  if (origin?.servedAt === undefined) return [];
  return allowed(snapshotUrls(urls, origin.servedAt, mirrors), options);
}

function allowed(urls: readonly string[], { offline = false }: FetchOptions): string[] {
  return urls.filter((url) => !offline || url.startsWith('file:'));
}

/** Downloads that were interrupted and that nobody has come back for. */
async function removeStale(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const modifiedMs = await modifiedAt(path);
    if (modifiedMs !== undefined && Date.now() - modifiedMs > staleAfterMs) await rm(path, { force: true });
  }
}

async function modifiedAt(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function atMostEvery(ms: number, report: (doneBytes: number) => void): (doneBytes: number) => void {
  let last = -Infinity;
  return (doneBytes) => {
    const now = performance.now();
    if (now - last < ms) return;
    last = now;
    report(doneBytes);
  };
}
