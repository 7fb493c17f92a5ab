// Clients that take their time, on purpose or not: who sends or takes next to nothing is cut off, who only waits makes way, and
// everybody else is served meanwhile.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { digestHash, digestOf } from '../../../store/base/digest.ts';
import { packageRoot } from '../../../store/base/package-root.ts';
import { encodePieces, joined } from '../../../store/caches/pieces.ts';
import { connectionsWithin } from '../../../store/serve/http/open-files.ts';
import { Authority } from '../../support/certificates.ts';
import { ask, connection, ended } from '../../support/raw-http.ts';
import { bytesOf } from '../../support/reapi-blobs.ts';
import { serveStore, writeToken, type Serving } from '../../support/served-store.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const patience = { headMs: 400, graceMs: 600, leastBytesPerSecond: 1000, lookEveryMs: 100 };
const authorization = `Bearer ${writeToken}`;

/** Sends what there is, byte by byte, until it is cut off. */
function drip(socket: Socket, bytes: Uint8Array): void {
  let at = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), 50);
  socket.once('close', () => clearInterval(timer));
}

async function cutOff({ url }: Serving, why: string): Promise<number> {
  const metrics = (await ask(url, 'GET', '/metrics')).body.toString();
  return Number(new RegExp(`why="${why}"\\} (\\d+)$`, 'm').exec(metrics)![1]);
}

const isServed = async ({ url }: Serving): Promise<boolean> =>
  (await ask(url, 'GET', '/cairn-cache')).status === 200;

test('a head that comes byte by byte, and a beginning of TLS that never ends, are not waited for', async () => {
  const serving = await serveStore({ serverOptions: { patience } });
  const slow = await Promise.all(Array.from({ length: 50 }, () => connection(serving.url, 'GET ')));
  for (const socket of slow) drip(socket, Buffer.from('x'.repeat(1000)));
  expect(await isServed(serving)).toBe(true);
  await Promise.all(slow.map(ended));

  const authority = new Authority(tempFolder('authority'));
  const { cert, key } = authority.issue('server');
  const tls = { cert: Buffer.from(cert), key: Buffer.from(key) };
  const secured = await serveStore({ serverOptions: { patience, tls } });
  const silent = await Promise.all(Array.from({ length: 50 }, () => connection(secured.url, '\x16')));
  await Promise.all(silent.map(ended));
  expect([...serving.errors, ...secured.errors]).toEqual([]);
});

test('a body that comes byte by byte is cut off, also after much of it came quickly, and leaves nothing', async () => {
  const serving = await serveStore({ serverOptions: { patience } });
  const bytes = bytesOf(1, 3_000_000);
  const path = `/blobs/${digestHash(digestOf(bytes))}`;
  const body = await joined(encodePieces([bytes]));
  const head = `PUT ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: ${body.length}\r\n\r\n`;
  for (const quick of [0, 2_000_000]) {
    const socket = await connection(serving.url, head);
    socket.write(body.subarray(0, quick));
    drip(socket, body.subarray(quick));
    expect(await isServed(serving)).toBe(true);
    await ended(socket);
  }
  expect(await cutOff(serving, 'slow')).toBe(2);
  expect((await ask(serving.url, 'GET', path)).status).toBe(404);
  const whole = await ask(serving.url, 'PUT', path, { headers: { authorization }, body });
  expect(whole.status).toBe(201);
  expect(serving.errors).toEqual([]);
});

test('who asks for much and takes nothing is cut off, and others are given the same meanwhile', async () => {
  const serving = await serveStore({ serverOptions: { patience } });
  const bytes = bytesOf(2, 20_000_000);
  const path = `/blobs/${digestHash(digestOf(bytes))}`;
  const body = await joined(encodePieces([bytes]));
  expect((await ask(serving.url, 'PUT', path, { headers: { authorization }, body })).status).toBe(201);
  const slow = await Promise.all(
    Array.from({ length: 20 }, () => connection(serving.url, `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)),
  );
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(serving.url, 'GET', path)));
  expect(answers.map(({ body: { length } }) => length)).toEqual(Array(5).fill(answers[0]!.body.length));
  await expect.poll(() => cutOff(serving, 'slow'), { timeout: 20_000 }).toBe(20);
  for (const socket of slow) socket.destroy();
  expect(serving.errors).toEqual([]);
});

/** `cairn cache serve` as a process that may have so many files open. */
async function serveWithin(files: number | undefined, ...words: string[]): Promise<string> {
  const command = files === undefined ? 'exec "$@"' : `ulimit -n ${files}; exec "$@"`;
  const child = spawn(
    '/bin/sh',
    [
      ...['-c', command, 'sh', process.execPath, join(packageRoot, 'dist/cli/main.js')],
      ...['cache', 'serve', '--json', '--no-log', '--listen', '127.0.0.1:0', ...words],
    ],
    {
      env: {
        PATH: process.env['PATH'],
        HOME: '/nonexistent',
        CAIRN_STORE: join(tempFolder('many'), 'store'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return (JSON.parse(line.toString()) as { url: string }).url;
}

/** Connections that say nothing, as many as this process may have; errors are no concern. */
async function idleConnections(url: string, count: number): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at += 500)
    await Promise.all(
      Array.from({ length: Math.min(500, count - at) }, async () => {
        const socket = connect(Number(port), hostname).on('error', () => undefined);
        sockets.push(socket);
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
      }),
    );
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  return sockets;
}

test('10,000 connections that say nothing keep nobody out, whether there is room for them or not', async () => {
  const [, limit = '1024'] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))!;
  const count = Math.min(10_000, Number(limit) - 500);
  for (const most of ['2048', '20000']) {
    const url = await serveWithin(undefined, '--max-connections', most);
    const sockets = await idleConnections(url, count);
    for (let at = 0; at < 20; at++) expect((await ask(url, 'GET', '/cairn-cache')).status).toBe(200);
    const metrics = (await ask(url, 'GET', '/metrics')).body.toString();
    const open = Number(/^cairn_connections (\d+)$/m.exec(metrics)![1]);
    expect(open).toBeLessThanOrEqual(connectionsWithin(Number(most), Number(limit)));
    expect(open).toBeGreaterThan(Math.min(count, connectionsWithin(Number(most), Number(limit))) / 2);
    for (const socket of sockets) socket.destroy();
  }
}, 120_000);

test('a process that may have few files open has no more connections than leave room for them', async () => {
  expect(connectionsWithin(2048, 300)).toBe(66);
  expect(connectionsWithin(2048, 64)).toBe(16);
  expect(connectionsWithin(2048, Infinity)).toBe(2048);
  const url = await serveWithin(300);
  await idleConnections(url, 700);
  for (let at = 0; at < 20; at++) expect((await ask(url, 'GET', '/cairn-cache')).status).toBe(200);
});
