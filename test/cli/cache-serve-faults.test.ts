// `cairn cache serve` when things go wrong, on the built command line: the server killed in the middle, the disk full on either side,
// ended while something is under way; and over HTTPS.

import { writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { Authority } from '../support/certificates.ts';
import { ask } from '../support/raw-http.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { collect, mainFile, testProject, type Running, type TestProject } from './cairn.ts';

const token = '0123456789abcdef';

/** A project that writes so many files of 3 MB that hardly get smaller, and one small one; `fields` is what it says of caches. */
function project(files: number, fields = ''): TestProject {
  return testProject(`
const noise = (seed: number) => {
  let [state, text] = [seed, ''];
  while (text.length < 3_000_000) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    text += (state >>> 0).toString(36);
  }
  return text;
};
const files = Object.fromEntries(Array.from({ length: ${files} }, (_, at) => [String(at), noise(at + 1)]));
const large = write({ name: 'large', files });
const small = write({ name: 'small', files: { small: 'small' } });
export default defineFlake({ description: 'a test', outputs: () => ({ large, small }), ${fields} });`);
}

interface Server {
  readonly url: string;
  readonly running: Running;
}

/** Serves the store of a project, or one on a small disk of its own. */
async function serve(
  served: TestProject,
  { disk, words = [] }: { readonly disk?: string; readonly words?: readonly string[] } = {},
): Promise<Server> {
  const argv = [mainFile, 'cache', 'serve', '--listen', '127.0.0.1:0', ...words];
  const env = { ...served.env, CAIRN_SERVE_TOKENS: `ci ${token}` };
  const child =
    disk === undefined
      ? spawn(process.execPath, argv, { env })
      : spawn('unshare', ['-Urm', 'sh', '-c', onSmallDisk(disk), 'sh', process.execPath, ...argv], {
          env: { ...env, CAIRN_STORE: disk },
        });
  onTestFinished(() => void child.kill('SIGKILL'));
  const running = { process: child, ended: collect(child) };
  let text = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer | string) => {
      text += String(chunk);
      const [found] = /https?:\/\/[\d.]+:\d+/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.on('close', () => reject(new Error(`it ended: ${text}`)));
  });
  return { url, running };
}

const onSmallDisk = (folder: string): string => `mount -t tmpfs -o size=24m none '${folder}' && exec "$@"`;

/** A way to a server on which something happens once so many bytes have gone one way. */
async function wayTo(
  url: string,
  {
    to,
    after,
    then,
  }: { readonly to: 'server' | 'client'; readonly after: number; readonly then: () => void },
): Promise<string> {
  let left = after;
  const { port } = new URL(url);
  const sockets: Socket[] = [];
  const way = createServer((client) => {
    const server = connect(Number(port), '127.0.0.1');
    sockets.push(client, server);
    for (const [from, into] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => into.destroy());
      from.on('close', () => into.destroy());
      from.pipe(into);
    }
    (to === 'server' ? client : server).on('data', (chunk: Buffer) => {
      if (left <= 0 || (left -= chunk.byteLength) > 0) return;
      then();
      // What is on its way is lost as well.
      for (const socket of sockets) socket.destroy();
    });
  });
  await new Promise<void>((resolve) => way.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    way.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${(way.address() as { port: number }).port}`;
}

function mayWrite(made: TestProject, url: string): void {
  made.env['CAIRN_CACHE_TOKEN'] = `${new URL(url).host}=${token}`;
}

const keyOf = async (made: TestProject): Promise<string> =>
  (await made.run('key', 'generate', 'ci')).stdout.trim();
const soundness = async (made: TestProject): Promise<number | null> =>
  (await made.run('store', 'verify')).status;

test('a server that is killed while it takes or gives costs one push, or the work, and its store is sound', async () => {
  const [served, one] = [testProject(), project(6)];
  const key = await keyOf(one);
  expect((await one.run('build', 'large')).status).toBe(0);
  const first = await serve(served);
  const kill = (server: Server) => () => void server.running.process.kill('SIGKILL');
  const pushWay = await wayTo(first.url, { to: 'server', after: 5_000_000, then: kill(first) });
  mayWrite(one, pushWay);
  const pushed = await one.run('cache', 'push', 'large', '--to', pushWay);
  expect([pushed.status, pushed.stderr]).toEqual([1, expect.stringContaining('CACHE_FAILED')]);
  await first.running.ended;
  expect(await soundness(served)).toBe(0);

  const second = await serve(served);
  mayWrite(one, second.url);
  expect((await one.run('cache', 'push', 'large', '--to', second.url)).status).toBe(0);
  const pullWay = await wayTo(second.url, { to: 'client', after: 5_000_000, then: kill(second) });
  const two = project(6, `caches: ['${pullWay}'], trust: { keys: ['${key}'] }`);
  const built = await two.run('build', 'large');
  expect([built.status, built.stderr]).toEqual([0, expect.stringContaining('is not asked any more')]);
  expect(built.stdout).toContain('built in');
  await second.running.ended;

  const third = await serve(served);
  const three = project(6, `caches: ['${third.url}'], trust: { keys: ['${key}'] }`);
  expect((await three.run('build', 'large')).stdout).toContain('taken from a cache');
  for (const each of [served, two, three]) expect(await soundness(each)).toBe(0);
});

test('a server whose disk is full says so, keeps nothing half, and goes on serving what it has', async () => {
  const one = project(12);
  const key = await keyOf(one);
  expect((await one.run('build', 'large', 'small')).status).toBe(0);
  const server = await serve(testProject(), { disk: tempFolder('disk') });
  mayWrite(one, server.url);
  expect((await one.run('cache', 'push', 'small', '--to', server.url)).status).toBe(0);
  const pushed = await one.run('cache', 'push', 'large', '--to', server.url);
  expect([pushed.status, pushed.stderr]).toEqual([1, expect.stringContaining('it is full')]);
  const two = project(12, `caches: ['${server.url}'], trust: { keys: ['${key}'] }`);
  const built = await two.run('build', 'small', 'large');
  expect([built.status, built.stdout.match(/taken from a cache/g)]).toEqual([0, ['taken from a cache']]);
  expect((await ask(server.url, 'GET', '/healthz')).status).toBe(200);
  server.running.process.kill('SIGTERM');
  const { stderr } = await server.running.ended;
  expect(stderr).toMatch(/^error: .*(full|space)/m);
});

test('a client whose disk is full ends with that, and the server has not been harmed', async () => {
  const one = project(12);
  const key = await keyOf(one);
  expect((await one.run('build', 'large')).status).toBe(0);
  const served = testProject();
  const server = await serve(served);
  mayWrite(one, server.url);
  expect((await one.run('cache', 'push', 'large', '--to', server.url)).status).toBe(0);
  const two = project(12, `caches: ['${server.url}'], trust: { keys: ['${key}'] }`);
  const disk = tempFolder('disk');
  const argv = [
    '-Urm',
    'sh',
    '-c',
    onSmallDisk(disk),
    'sh',
    process.execPath,
    mainFile,
    'cache',
    'pull',
    'large',
  ];
  const child = spawn('unshare', argv, { cwd: two.folder, env: { ...two.env, CAIRN_STORE: disk } });
  const pulled = await collect(child);
  expect([pulled.status, pulled.stderr]).toEqual([1, expect.stringContaining('DISK_FULL')]);
  expect((await two.run('cache', 'pull', 'large')).status).toBe(0);
  expect(await soundness(two)).toBe(0);
});

test('one that is told to end gives what it has begun to give, and takes nothing new', async () => {
  const one = project(6);
  const key = await keyOf(one);
  await one.run('build', 'large');
  const server = await serve(one, { words: ['--no-log'] });
  mayWrite(one, server.url);
  expect((await one.run('cache', 'push', 'large', '--to', server.url)).status).toBe(0);
  const { hostname, port } = new URL(server.url);
  const two = project(6, `caches: ['${server.url}'], trust: { keys: ['${key}'] }`);
  expect((await two.run('cache', 'pull', 'large')).status).toBe(0);
  const [blob] =
    (await ask(server.url, 'GET', '/metrics')).body.toString().match(/^cairn_requests_total.*GET/m) ?? [];
  expect(blob).toBeDefined();
  const socket = connect(Number(port), hostname);
  socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n');
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.running.process.kill('SIGTERM');
  socket.write('\r\n');
  expect((await server.running.ended).status).toBe(0);
  await expect(ask(server.url, 'GET', '/healthz')).rejects.toThrow();
});

test('over HTTPS it is pushed to and pulled from as over HTTP, by who knows its authority', async () => {
  const authority = new Authority(tempFolder('authority'));
  const { cert, key: secret } = authority.issue('server');
  const folder = tempFolder('certificates');
  const [certificate, secretFile, known] = ['cert', 'key', 'authority'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(certificate, cert);
  writeFileSync(secretFile, secret);
  writeFileSync(known, authority.cert);
  const server = await serve(testProject(), {
    words: ['--tls-certificate', certificate, '--tls-key', secretFile],
  });
  expect(server.url).toMatch(/^https:/);
  const one = project(2);
  const key = await keyOf(one);
  mayWrite(one, server.url);
  await one.run('build', 'large');
  const stranger = await one.run('cache', 'push', 'large', '--to', server.url);
  expect([stranger.status, stranger.stderr]).toEqual([1, expect.stringContaining('CACHE_FAILED')]);
  one.env['NODE_EXTRA_CA_CERTS'] = known;
  expect((await one.run('cache', 'push', 'large', '--to', server.url)).status).toBe(0);
  const two = project(2, `caches: ['${server.url}'], trust: { keys: ['${key}'] }`);
  two.env['NODE_EXTRA_CA_CERTS'] = known;
  expect((await two.run('build', 'large')).stdout).toContain('taken from a cache');
});
