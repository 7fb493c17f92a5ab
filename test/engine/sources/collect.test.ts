// Sources collected into a folder, and builds that have nothing else to fetch from.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collectSources } from '../../../engine/sources/collect.ts';
import type { FetchRequest } from '../../../engine/sources/fetch-request.ts';
import { openMirrors } from '../../../engine/sources/mirrors.ts';
import { openStore, type Store } from '../../../store/index.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { serve, serveFolder } from '../../support/web-server.ts';
import { failureOf } from '../../support/failure-of.ts';
import { fetchInto, sharedStore, someFile } from './fetching.ts';

const store = sharedStore();
const { signal } = new AbortController();

/** A folder with two collected sources, and the requests for them. */
async function collected(): Promise<{ folder: string; requests: FetchRequest[] }> {
  const files = [someFile(), someFile()] as const;
  const upstream = await serve((asked, response) =>
    response.end(files[asked.url === '/two' ? 1 : 0].content),
  );
  const requests = [
    { ...files[0].request, urls: ['mirror://debian/pool/main/s/sed/sed_4.9.orig.tar.xz'] },
    { ...files[1].request, urls: [`${upstream.base}/two`] },
  ];
  const mirrors = openMirrors({ env: { CAIRN_MIRROR_DEBIAN: upstream.base } });
  for (const request of requests) await fetchInto(store(), request, { mirrors });
  await upstream.close();
  const folder = join(tempFolder('collect'), 'sources');
  const sources = requests.map(({ urls }, index) => ({ urls, digest: files[index]!.digest }));
  await collectSources(sources, { folder, store: store(), signal });
  return { folder, requests };
}

async function withEmptyStore(use: (empty: Store) => Promise<void>): Promise<void> {
  const empty = await openStore(join(tempFolder('empty'), 'store'));
  try {
    await use(empty);
  } finally {
    await empty.close();
  }
}

test('every fetch works from the folder with the network off', async () => {
  const { folder, requests } = await collected();
  const mirrors = openMirrors({ env: { CAIRN_SOURCES: folder }, aptFolder: '/nonexistent' });
  await withEmptyStore(async (empty) => {
    for (const request of requests) await fetchInto(empty, request, { mirrors, offline: true });
  });
});

test('the folder serves as a Debian mirror, as it lies and from a plain web server', async () => {
  const { folder, requests } = await collected();
  const server = await serveFolder(folder);
  for (const base of [join(folder, 'debian'), `${server.base}/debian`]) {
    const mirrors = openMirrors({ env: { CAIRN_MIRROR_DEBIAN: base }, aptFolder: '/nonexistent' });
    await withEmptyStore(async (empty) => {
      await fetchInto(empty, requests[0]!, { mirrors });
    });
  }
});

test('the folder serves everything over a plain web server', async () => {
  const { folder, requests } = await collected();
  const server = await serveFolder(folder);
  const mirrors = openMirrors({ env: { CAIRN_SOURCES: `${server.base}/` }, aptFolder: '/nonexistent' });
  await withEmptyStore(async (empty) => {
    for (const request of requests) await fetchInto(empty, request, { mirrors });
  });
});

test('sha256sum can check the folder, and a second collection adds to the first', async () => {
  const { folder } = await collected();
  const { content, digest, request } = someFile();
  const upstream = await serve((_, response) => response.end(content));
  await fetchInto(store(), { ...request, urls: [upstream.base] });
  await collectSources([{ urls: ['mirror://gnu/sed/sed.tar.xz'], digest }], {
    folder,
    store: store(),
    signal,
  });
  const report = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' });
  expect(report.match(/: OK$/gm)).toHaveLength(5);
  expect(statSync(join(folder, 'gnu/sed/sed.tar.xz')).ino).toBe(
    statSync(join(folder, 'by-sha256', request.sha256)).ino,
  );
});

test('what people do to the folder does not reach the store', async () => {
  const { folder, requests } = await collected();
  const { sha256, sizeBytes } = requests[0]!;
  writeFileSync(join(folder, 'by-sha256', sha256), 'scribble');
  const blob = await store().blobs.path(
    `${sha256}/${sizeBytes}` as Parameters<Store['blobs']['path']>[0],
    false,
  );
  expect(statSync(blob).size).toBe(sizeBytes);
  const mirrors = openMirrors({ env: { CAIRN_SOURCES: folder }, aptFolder: '/nonexistent' });
  await withEmptyStore(async (empty) => {
    const error = await failureOf(
      fetchInto(empty, { ...requests[0]!, urls: ['file:///nonexistent'] }, { mirrors }),
    );
    expect(error.code).toBe('FETCH_HASH_MISMATCH');
    expect(error.message).toContain(folder);
  });
});

test('nothing half copied is left when a source is not in the store', async () => {
  const { digest } = someFile();
  const folder = join(tempFolder('collect'), 'sources');
  await expect(collectSources([{ urls: [], digest }], { folder, store: store(), signal })).rejects.toThrow(
    'missing',
  );
  expect(existsSync(join(folder, 'SHA256SUMS'))).toBe(false);
  expect(() => readFileSync(join(folder, 'by-sha256', digest))).toThrow();
});
