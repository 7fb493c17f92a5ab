// A store, a batch and a request: what every fetch test starts from.

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { fetchBlob, type FetchOptions } from '../../../engine/sources/fetch.ts';
import type { FetchRequest } from '../../../engine/sources/fetch-request.ts';
import { openMirrors, type Mirrors } from '../../../engine/sources/mirrors.ts';
import { digestHash, digestOf, type Digest } from '../../../store/base/digest.ts';
import { openStore, type Store } from '../../../store/index.ts';

export const noMirrors: Mirrors = openMirrors({ env: {}, aptFolder: '/nonexistent' });

/** Content too large for one chunk, and its request. */
export function someFile(sizeBytes = 300_000): { content: Buffer; digest: Digest; request: FetchRequest } {
  const content = randomBytes(sizeBytes);
  const digest = digestOf(content);
  const request = { name: 'sed-4.9.tar.xz', urls: [], sha256: digestHash(digest), sizeBytes };
  return { content, digest, request };
}

/** One store for all tests of a file: their contents are random, so that they do not meet. */
export function sharedStore(): () => Store {
  let folder: string;
  let store: Store;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cairn-fetch-'));
    store = await openStore(join(folder, 'store'));
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return () => store;
}

/** Where a store keeps the download of a file until it is whole. */
export function partialOf(store: Store, { sha256 }: FetchRequest): string {
  mkdirSync(join(store.path, 'downloads'), { recursive: true });
  return join(store.path, 'downloads', sha256);
}

/** Fetches and commits, as a scheduler would; nothing is committed when the fetch fails. */
export async function fetchInto(
  store: Store,
  request: FetchRequest,
  options: Partial<FetchOptions> = {},
): Promise<Digest> {
  const batch = store.begin();
  try {
    const digest = await fetchBlob(request, {
      store,
      batch,
      mirrors: noMirrors,
      signal: new AbortController().signal,
      ...options,
      patience: { backoffMs: 1, ...options.patience },
    });
    await batch.commit();
    return digest;
  } finally {
    await batch.discard();
  }
}
