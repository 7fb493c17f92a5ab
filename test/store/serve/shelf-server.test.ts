// A served store, asked by those who mean no good, and those who ask oddly.

import { chmodSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { digestHash, digestOf, type Digest } from '../../../store/base/digest.ts';
import { encodePieces, decodePieces, joined } from '../../../store/caches/pieces.ts';
import { generateSigningKey, type Node } from '../../../store/index.ts';
import { ask, connection, ended, type RawAnswer } from '../../support/raw-http.ts';
import { endedRequests, serveStore, writeToken, type Serving } from '../../support/served-store.ts';
import {
  claimOf,
  listOf,
  packOf,
  recordPackOf,
  shelfTree,
  type Upload,
} from '../../support/shelf-content.ts';

const authorization = `Bearer ${writeToken}`;
const put = ({ url }: Serving, { path, body }: Upload, headers = {}): Promise<RawAnswer> =>
  ask(url, 'PUT', path, { body, headers: { authorization, ...headers } });
const statusOf = async (answer: Promise<RawAnswer>): Promise<number> => (await answer).status;
const treeOf = (digest: Digest): Node => ({ kind: 'tree', digest });
const key = generateSigningKey('ci');
const action = digestOf(Buffer.from('action'));

/** All files below a store's folder but its database and locks. */
function filesIn({ store }: Serving): string[] {
  return readdirSync(store.path, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /^(blobs|served)\/.*\//.test(name),
  );
}

test('nothing is read or written but by the names of a shelf', async () => {
  const serving = await serveStore();
  const paths = [
    '/',
    '/../format',
    '/blobs/../../format',
    '/%2e%2e/format',
    '/index/..',
    '//cairn-cache',
    '/records/0123456789abcde/',
    '/records/0123456789ABCDEF',
    `/blobs/${'0'.repeat(63)}\u0000`.replace('\u0000', '%00'),
    '/latest/' + 'a'.repeat(10_000),
    'http://elsewhere/cairn-cache',
    '*',
  ];
  for (const path of paths) {
    expect([path, await statusOf(ask(serving.url, 'GET', path))]).toEqual([path, 404]);
    const written = await ask(serving.url, 'PUT', path, {
      headers: { authorization },
      body: Buffer.from('x'),
    });
    expect([path, written.status]).toEqual([path, 403]);
  }
  expect(filesIn(serving)).toEqual([]);
  for (const method of ['POST', 'DELETE', 'MKCOL', 'PATCH'])
    expect(await statusOf(ask(serving.url, method, '/index/0'))).toBe(405);
  expect((await ask(serving.url, 'GET', '/cairn-cache')).body.toString()).toBe('1\n');
  expect(serving.errors).toEqual([]);
});

test('only who shows a token writes, and reads where that is asked for; nothing tells tokens', async () => {
  const logged: unknown[] = [];
  const onRequest = (request: unknown): unknown => logged.push(request);
  const serving = await serveStore({ serverOptions: { isPrivate: true, onRequest } });
  const { pack } = await shelfTree('one');
  const wrong = ['', 'Bearer', `Bearer ${writeToken}x`, `Basic ${Buffer.from('ci:x').toString('base64')}`];
  for (const header of wrong) {
    const headers = { authorization: header };
    expect(await statusOf(ask(serving.url, 'PUT', pack.path, { headers, body: pack.body }))).toBe(401);
    expect(await statusOf(ask(serving.url, 'GET', '/cairn-cache', { headers }))).toBe(401);
  }
  const basic = `Basic ${Buffer.from(`anybody:${writeToken}`).toString('base64')}`;
  for (const header of [authorization, basic])
    expect(
      await statusOf(ask(serving.url, 'GET', '/cairn-cache', { headers: { authorization: header } })),
    ).toBe(200);
  expect(await statusOf(ask(serving.url, 'GET', `/cairn-cache?token=${writeToken}`))).toBe(401);
  const metrics = await ask(serving.url, 'GET', '/metrics', { headers: { authorization } });
  const all = JSON.stringify(logged) + metrics.body.toString();
  expect(all).not.toContain(writeToken);
  expect(logged).toContainEqual(expect.objectContaining({ holder: 'ci', status: 200, path: '/cairn-cache' }));
  const open = await serveStore({ serverOptions: { tokens: [] } });
  expect(await statusOf(put(open, pack))).toBe(405);
});

test('what is pushed shows once all of it is there and signed, and not before', async () => {
  const serving = await serveStore();
  const { top, pack, list } = await shelfTree('one');
  const record = await claimOf(action, treeOf(top), key);
  expect(await statusOf(put(serving, record))).toBe(422);
  expect(await statusOf(put(serving, list))).toBe(422);
  expect(await statusOf(put(serving, record.index))).toBe(422);
  expect(await statusOf(put(serving, pack))).toBe(201);
  expect(await statusOf(ask(serving.url, 'GET', list.path))).toBe(404);
  expect(await statusOf(put(serving, list))).toBe(201);
  expect(await statusOf(put(serving, record))).toBe(201);
  expect(await statusOf(put(serving, record.index, { 'if-match': '"other"' }))).toBe(412);
  expect(await statusOf(put(serving, record.index, { 'if-none-match': '*' }))).toBe(201);
  expect(await statusOf(put(serving, record.index, { 'if-none-match': '*' }))).toBe(412);
  expect((await ask(serving.url, 'GET', record.index.path)).body).toEqual(Buffer.from(record.index.body));
  // Whoever writes an index takes nothing of it away.
  expect(await statusOf(put(serving, { path: record.index.path, body: Buffer.from('') }))).toBe(412);
  expect(serving.errors).toEqual([]);
});

test('what the store knows to have stayed elsewhere has to be brought before it is promised', async () => {
  const serving = await serveStore();
  const { top, pack, list } = await shelfTree('left');
  const digest = digestOf(Buffer.from('left'));
  const batch = serving.store.begin();
  batch.addDirectory(new Map([['file', { kind: 'blob', digest, executable: false }]]));
  batch.leave(digest, 'a server');
  await batch.commit();
  expect(serving.store.trees.get(top)).toBeDefined();
  expect(await statusOf(put(serving, list))).toBe(422);
  expect(await statusOf(ask(serving.url, 'GET', list.path))).toBe(404);
  expect(await statusOf(put(serving, pack))).toBe(201);
  expect(await statusOf(put(serving, list))).toBe(201);
  expect(serving.store.left.any()).toBe(false);
  expect(serving.errors).toEqual([]);
});

test('what is forged, replayed for something else, damaged, cut short or a bomb is refused, and leaves nothing', async () => {
  const own = generateSigningKey('own');
  const serving = await serveStore({ storeOptions: { keys: [key.publicKey], mostBlobBytes: 1000 } });
  const { top, pack, list } = await shelfTree('one');
  await put(serving, pack);
  await put(serving, list);
  const before = filesIn(serving);
  const good = await claimOf(action, treeOf(top), key);
  const flipped = Uint8Array.from(good.bytes);
  flipped[flipped.length - 1]! ^= 1;
  // The signature of a claim under a memo that says the same bytes is none.
  const replayed = Buffer.from(good.bytes);
  replayed.write('wrong', replayed.indexOf('claim'));
  const other = await shelfTree('two');
  const damaged = Buffer.from(other.pack.body);
  damaged[damaged.length >> 1]! ^= 1;
  const bytes = Buffer.alloc(2000);
  const refusals: [Upload, number][] = [
    [await recordPackOf(action, flipped), 422],
    [await recordPackOf(action, replayed), 422],
    [await claimOf(action, treeOf(top), own), 403],
    [await claimOf(action, treeOf(other.top), key), 422],
    [{ ...good, body: good.body.subarray(0, 40) }, 422],
    [{ path: other.pack.path, body: damaged }, 422],
    [{ path: other.pack.path, body: other.pack.body.subarray(0, 30) }, 422],
    [await packOf([{ digest: `${'0'.repeat(64)}/3` as Digest, bytes: Buffer.from('abc') }]), 422],
    [{ path: `/blobs/${digestHash(digestOf(bytes))}`, body: await joined(encodePieces([bytes])) }, 413],
    [
      { path: `/blobs/${digestHash(action)}`, body: await joined(encodePieces([Buffer.from('no action')])) },
      422,
    ],
    [{ path: `/blobs/${digestHash(action)}`, body: Buffer.from('no pieces at all, only text') }, 422],
    [await listOf(other.top, { packs: [], alone: [top] }), 422],
    [{ path: list.path, body: Buffer.from('x') }, 422],
    [{ path: '/index/0', body: Buffer.from('nonsense\n') }, 422],
    [{ path: `/latest/${'a'.repeat(64)}`, body: Buffer.from('../../../etc/passwd') }, 422],
    [{ path: '/cairn-cache', body: Buffer.from('2\n') }, 422],
  ];
  for (const [upload, status] of refusals) {
    const answer = await put(serving, upload);
    expect([upload.path, answer.status, answer.body.toString()]).toEqual([
      upload.path,
      status,
      expect.anything(),
    ]);
  }
  expect(filesIn(serving)).toEqual(before);
  expect(await statusOf(put(serving, good))).toBe(201);
  expect(serving.errors).toEqual([]);
});

test('an upload that breaks off in the middle leaves nothing, and the next one works', async () => {
  const serving = await serveStore();
  const { pack } = await shelfTree('one');
  const head = `PUT ${pack.path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: ${pack.body.length}\r\n\r\n`;
  const socket = await connection(serving.url, head);
  socket.write(pack.body.subarray(0, 20));
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await expect.poll(() => endedRequests(serving)).toContain('method="PUT"');
  expect(filesIn(serving)).toEqual([]);
  expect(await statusOf(put(serving, pack))).toBe(201);
  expect(serving.errors).toEqual([]);
});

test('a large file comes whole, in any range, and under conditions, and never when it was damaged meanwhile', async () => {
  const serving = await serveStore();
  const bytes = Buffer.alloc(2_500_000, 'large');
  for (let at = 0; at < bytes.length; at += 4096) bytes.writeUInt32LE(at, at);
  const digest = digestOf(bytes);
  const path = `/blobs/${digestHash(digest)}`;
  expect(await statusOf(put(serving, { path, body: await joined(encodePieces([bytes])) }))).toBe(201);
  const whole = await ask(serving.url, 'GET', path);
  const content = await joined(decodePieces(Readable.from([whole.body])));
  expect(content.equals(bytes)).toBe(true);
  const tag = whole.headers.etag!;
  for (const [from, to] of [
    [0, 1],
    [1, 2_000_000],
    [1_048_600, 1_048_700],
    [2_400_000, whole.body.length],
  ] as const) {
    const part = await ask(serving.url, 'GET', path, { headers: { range: `bytes=${from}-${to - 1}` } });
    expect([part.status, part.body.equals(whole.body.subarray(from, to))]).toEqual([206, true]);
  }
  const asked = (headers: Record<string, string>): Promise<number> =>
    statusOf(ask(serving.url, 'GET', path, { headers }));
  expect(await asked({ range: `bytes=${whole.body.length}-` })).toBe(416);
  expect(await asked({ range: 'bytes=5-3' })).toBe(200);
  expect(await asked({ range: 'bytes=0-1', 'if-range': '"other"' })).toBe(200);
  expect(await asked({ 'if-none-match': tag })).toBe(304);
  expect((await ask(serving.url, 'HEAD', path)).headers['content-length']).toBe(String(whole.body.length));

  const file = await serving.store.blobs.unaltered(digest);
  const { mtime, atime } = { mtime: new Date(1000), atime: new Date(2 ** 31 * 1000 - 1000) };
  chmodSync(file, 0o644);
  const damaged = readFileSync(file);
  damaged[2_400_000]! ^= 1;
  writeFileSync(file, damaged);
  chmodSync(file, 0o444);
  utimesSync(file, atime, mtime);
  await expect(ask(serving.url, 'GET', path)).rejects.toThrow();
  expect(await asked({})).toBe(404);
});

test('connections that only wait make way for those that ask, however many there are', async () => {
  const serving = await serveStore({ serverOptions: { mostConnections: 20 } });
  const sockets = await Promise.all(
    Array.from({ length: 200 }, () =>
      connection(serving.url, 'GET /cairn-cache HTTP/1.1\r\nhost: x\r\nx-slow: '),
    ),
  );
  for (let at = 0; at < 5; at++) expect(await statusOf(ask(serving.url, 'GET', '/cairn-cache'))).toBe(200);
  await expect.poll(() => sockets.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(20);
  const metrics = (await ask(serving.url, 'GET', '/metrics')).body.toString();
  expect(Number(/^cairn_connections (\d+)$/m.exec(metrics)![1])).toBeLessThanOrEqual(20);
  expect(Number(/why="crowded"\} (\d+)$/m.exec(metrics)![1])).toBeGreaterThan(150);
  for (const socket of sockets) socket.destroy();
});

test('an address that asks too often is told so, and the health of the server is not what it asks for', async () => {
  const serving = await serveStore({ serverOptions: { mostRequestsPerSecond: 1 } });
  const statuses = await Promise.all(
    Array.from({ length: 30 }, () => statusOf(ask(serving.url, 'GET', '/cairn-cache'))),
  );
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  expect((await ask(serving.url, 'GET', '/healthz')).body.toString()).toBe('ok\n');
});

test('it ends when what is under way has ended, and waits no longer than it should', async () => {
  const serving = await serveStore();
  const { pack } = await shelfTree('one');
  const head = `PUT ${pack.path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: ${pack.body.length}\r\n\r\n`;
  const socket = await connection(serving.url, head);
  socket.write(pack.body.subarray(0, 20));
  const text = (): string => endedRequests(serving);
  await expect
    .poll(async () => (await ask(serving.url, 'GET', '/metrics')).body.toString())
    .toContain('under_way 2');
  const answer: Buffer[] = [];
  socket.on('data', (chunk) => answer.push(chunk));
  const stopped = serving.stop(60_000);
  await expect(ask(serving.url, 'GET', '/healthz')).rejects.toThrow();
  socket.write(pack.body.subarray(20));
  await ended(socket);
  await stopped;
  expect(Buffer.concat(answer).toString()).toMatch(/^HTTP\/1\.1 201 /);
  expect(text()).toContain('method="PUT",status="201"');

  const impatient = await serveStore();
  const silent = await connection(impatient.url, head);
  await impatient.stop(10);
  await ended(silent);
});
