// The promise of a team's cache between two machines: two stores of two users in two network namespaces, with nothing but a cable
// between them. What one has built and pushed the other takes, over HTTP and over gRPC, and builds nothing.

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  busyboxFlake,
  cairnProject,
  finished,
  stepsThat,
  type CairnProject,
  type Ran,
} from '../support/cairn-project.ts';
import { needsRoot } from '../support/needs.ts';
import { bytesOf } from '../support/reapi-blobs.ts';
import { tempFolder } from '../support/temp-folder.ts';

const token = '0123456789abcdef';
const imageBytes = 16_000_000;
const before = bytesOf(1, imageBytes);
const after = Buffer.concat([before.subarray(0, 7_000_000), bytesOf(2, 60_000), before.subarray(7_000_000)]);

const outputs = `(() => {
  const words = command('words', 'echo one two > $out/words');
  const disk = run({ name: 'disk', layers: [shell], inputs: { '/source': localFolder({ name: 'source', path: 'source' }) },
    argv: ['/bin/sh', '-euc', 'echo image > $out/disk.img; cat /source/disk >> $out/disk.img'] });
  return { all: compose({ name: 'all', parts: [words, disk] }) };
})()`;

/** A network of its own, with one end of the cable. */
interface Machine {
  readonly pid: number;
  readonly address: string;
  /** Bytes that came over the cable so far. */
  came(): number;
}

async function twoMachines(): Promise<readonly [Machine, Machine]> {
  const pids = await Promise.all([0, 1].map(network));
  const [first, second] = pids as [number, number];
  const cable = ['type', 'veth', 'peer', 'name', 'cable', 'netns', `${second}`];
  execFileSync('ip', ['link', 'add', 'cable', 'netns', `${first}`, ...cable]);
  return [first, second].map((pid, at) => {
    const inside = (...words: string[]): string =>
      execFileSync('nsenter', ['-t', `${pid}`, '-n', 'ip', ...words], { encoding: 'utf8' });
    const address = `10.77.0.${at + 1}`;
    inside('address', 'add', `${address}/24`, 'dev', 'cable');
    for (const device of ['cable', 'lo']) inside('link', 'set', device, 'up');
    const came = (): number => {
      const [link] = JSON.parse(inside('-s', '-j', 'link', 'show', 'dev', 'cable')) as [
        { readonly stats64: { readonly rx: { readonly bytes: number } } },
      ];
      return link.stats64.rx.bytes;
    };
    return { pid, address, came };
  }) as unknown as readonly [Machine, Machine];
}

/** It lasts as long as this process does. */
async function network(): Promise<number> {
  const child = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const own = readlinkSync('/proc/self/ns/net');
  await expect.poll(() => readlinkSync(`/proc/${child.pid}/ns/net`)).not.toBe(own);
  return child.pid!;
}

/** A person on a machine: a home, a project and a store of their own. */
function person({ pid }: Machine, uid: number) {
  const project = cairnProject({ ...busyboxFlake(outputs), 'source/disk': '' });
  const temporary = tempFolder('temporary');
  for (const folder of [project.folder, join(project.store, '..'), temporary]) chmodSync(folder, 0o777);
  write(project, before);
  const through = [
    ...['nsenter', '-t', `${pid}`, '-n'],
    ...['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'],
  ];
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
    project.run(args, { through, env: { TMPDIR: temporary, ...env } });
  return { project, through, temporary, run };
}

function write(project: CairnProject, image: Uint8Array): void {
  writeFileSync(join(project.folder, 'source/disk'), image);
}

/** Trusts that key, and asks that cache. */
function useCache({ folder }: CairnProject, url: string, key: string): void {
  mkdirSync(join(folder, '.config/cairn'), { recursive: true });
  const caches = { caches: [{ url }], trust: { keys: [key] } };
  writeFileSync(join(folder, '.config/cairn/caches.json'), JSON.stringify(caches));
}

it('what one machine builds and pushes another takes over HTTP and gRPC, and builds nothing', async (context) => {
  needsRoot(context);
  const [here, there] = await twoMachines();
  const [builder, server] = [person(here, 12345), person(here, 12345)];
  const generated = await builder.run(['key', 'generate', 'ci']);
  expect(generated.status, generated.stderr).toBe(0);
  const key = generated.stdout.trim();

  const at = `${here.address}:0`;
  const serve = ['cache', 'serve', '--listen', at, '--grpc', at, '--trust', key, '--no-log'];
  const serving = server.project.start(serve, {
    through: server.through,
    env: { CAIRN_SERVE_TOKENS: `ci ${token}`, TMPDIR: server.temporary },
  });
  onTestFinished(() => void serving.kill('SIGKILL'));
  let said = '';
  serving.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  await expect.poll(() => said).toMatch(/grpc:\/\/[\d.]+:\d+/);
  const urls = [/http:\/\/[\d.]+:\d+/, /grpc:\/\/[\d.]+:\d+/].map((pattern) => pattern.exec(said)![0]);

  const push = async (): Promise<void> => {
    const built = await builder.run(['build', 'all', '--json']);
    expect(built.status, built.stdout + built.stderr).toBe(0);
    const [url] = urls as [string];
    const env = { CAIRN_CACHE_TOKEN: `${new URL(url).host}=${token}` };
    const pushed = await builder.run(['cache', 'push', 'all', '--to', url], env);
    expect(pushed.status, pushed.stdout + pushed.stderr).toBe(0);
  };
  const takers = urls.map((url) => {
    const taker = person(there, 54321);
    useCache(taker.project, url, key);
    return taker;
  });
  /** How much came over the cable for each who takes it, all of whom have the same in the end. */
  const take = async (): Promise<number[]> => {
    const bytes: number[] = [];
    const digests = new Set<unknown>();
    for (const { run } of takers) {
      const came = there.came();
      const taken = await run(['build', 'all', '--json']);
      expect(taken.status, taken.stdout + taken.stderr).toBe(0);
      expect([stepsThat('substituted', taken), stepsThat('built', taken)]).toEqual([['all'], []]);
      digests.add(taken.events.find(({ type }) => type === 'target')?.['digest']);
      bytes.push(there.came() - came);
    }
    const own = await builder.run(['build', 'all', '--json']);
    digests.add(own.events.find(({ type }) => type === 'target')?.['digest']);
    expect(digests.size).toBe(1);
    return bytes;
  };

  await push();
  for (const bytes of await take()) expect(bytes).toBeGreaterThan(imageBytes);
  for (const { project } of [builder, ...takers]) write(project, after);
  await push();
  const [http, grpc] = (await take()) as [number, number];
  expect(http).toBeGreaterThan(imageBytes);
  // Of what it has a former version of, it takes what differs.
  expect(grpc).toBeLessThan(imageBytes / 3);
  expect(takers.map(({ project }) => statSync(join(project.store, 'format')).uid)).toEqual([54321, 54321]);

  serving.kill('SIGTERM');
  await finished(serving);
});
