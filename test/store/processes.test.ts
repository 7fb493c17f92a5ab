// Several processes and one store: at once, killed, and on a full disk.

import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../store/index.ts';
import type { Digest } from '../../store/base/digest.ts';
import { layoutOf } from '../../store/layout.ts';
import { networkFileSystemOf } from '../../store/processes/network-file-system.ts';
import { Session, isAlive } from '../../store/processes/session.ts';
import { mainFile, testProject } from '../cli/cairn.ts';
import { builtScript } from '../support/built-script.ts';
import { tempFolder } from '../support/temp-folder.ts';

const program = 'test/support/programs/use-store.ts';
const run = promisify(execFile);

/** Starts the program and waits until it has said something. */
async function startUntilReady(...args: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

/** A path longer than the kernel takes, of folders that nobody may enter. */
function makeHardToRemove(folder: string): void {
  const script = `const fs = require('fs');
    for (let at = 0; at < 100; at++) { fs.mkdirSync('x'.repeat(50)); process.chdir('x'.repeat(50)); fs.chmodSync('..', 0); }`;
  const { status } = spawnSync(process.execPath, ['-e', script], { cwd: folder });
  expect(status).toBe(0);
}

test.each([2, 8])(
  '%i processes write the same blobs at once, into a store that none of them made before',
  async (count) => {
    const script = await builtScript(program);
    const path = join(tempFolder('store'), 'store');
    const answers = await Promise.all(
      Array.from({ length: count }, () => run(process.execPath, [script, 'commit', path])),
    );
    expect(new Set(answers.map(({ stdout }) => stdout)).size).toBe(1);
    const tree = answers[0]!.stdout.trim() as Digest;
    const store = await openStore(path);
    onTestFinished(() => store.close());
    expect(filesIn(join(path, 'blobs'))).toHaveLength(100);
    expect((await (await store.maintenance()).verify()).damages).toEqual([]);
    expect(readdirSync(await store.materialise(tree))).toHaveLength(100);
  },
);

test('what a killed process left in flight is invisible, swept, and its locks are free', async () => {
  const script = await builtScript(program);
  const path = join(tempFolder('store'), 'store');
  const child = await startUntilReady(script, 'hang', path);
  expect(filesIn(join(path, 'tmp'))).not.toEqual([]);
  await kill(child);
  makeHardToRemove(join(path, 'tmp', readdirSync(join(path, 'tmp'))[0]!));
  const { stdout } = await run(process.execPath, [script, 'commit', path]);
  expect(readdirSync(join(path, 'tmp'))).toEqual([]);
  const store = await openStore(path);
  onTestFinished(() => store.close());
  const lock = await store.locks.acquire('held', { onWait: () => expect.fail('a dead process holds it') });
  await lock.release();
  expect(store.trees.get(stdout.trim() as Digest)?.size).toBe(100);
});

test('what a process left that was killed before it showed life is swept by the next collection', async () => {
  const path = join(tempFolder('store'), 'store');
  const store = await openStore(path);
  const left = join(path, 'tmp', 'new-0123456789abcdef01234567');
  mkdirSync(left);
  await (await (await store.maintenance()).planGc()).execute();
  expect(existsSync(left)).toBe(false);
  await store.close();
  expect(readdirSync(join(path, 'tmp'))).toEqual([]);
});

test('a session that is swept before it shows life begins again', async () => {
  const script = await builtScript(program);
  const path = join(tempFolder('store'), 'store');
  const sweeping = spawn(process.execPath, [script, 'sweep', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void sweeping.kill('SIGKILL'));
  await once(sweeping.stdout, 'data');
  const layout = layoutOf(path);
  for (let round = 0; round < 500; round++) {
    const session = new Session(layout);
    session.enter();
    expect(await isAlive(layout, session.id)).toBe(true);
    session.close();
  }
  expect(sweeping.exitCode).toBeNull();
});

test('a living process is not swept, and its locks are waited for until it is killed', async () => {
  const script = await builtScript(program);
  const path = join(tempFolder('store'), 'store');
  const child = await startUntilReady(script, 'hang', path);
  await run(process.execPath, [script, 'commit', path]);
  expect(filesIn(join(path, 'tmp'))).toContain('left');
  const store = await openStore(path);
  onTestFinished(() => store.close());
  const holder = await new Promise<string>((resolve, reject) => {
    store.locks
      .acquire('held', { onWait: resolve, signal: AbortSignal.timeout(20_000) })
      .then((lock) => lock.release(), reject);
  });
  expect(holder).toMatch(new RegExp(`^process ${child.pid} on .`));
  const waiting = store.locks.acquire('held', { signal: AbortSignal.timeout(20_000) });
  await kill(child);
  await (await waiting).release();
});

test('garbage collection and commits of other processes never both win', async () => {
  const script = await builtScript(program);
  const path = join(tempFolder('store'), 'store');
  const names = ['a', 'b', 'c'];
  await Promise.all([
    ...names.map((name) => run(process.execPath, [script, 'build', path, name])),
    ...[1, 2].map(() => run(process.execPath, [script, 'collect', path])),
  ]);
  const store = await openStore(path);
  onTestFinished(() => store.close());
  const rooted = [...store.records.roots()].map(({ derivations }) => store.records.memo(derivations[0]!));
  expect(rooted).toHaveLength(3 * 13);
  expect(rooted).not.toContain(undefined);
  const maintenance = await store.maintenance();
  expect((await maintenance.verify()).damages).toEqual([]);
  await (await maintenance.planGc()).execute();
  expect((await maintenance.planGc()).stats.blobs).toBe(0);
  expect((await maintenance.verify()).damages).toEqual([]);
});

/** Words that run a program as process 1 of a container of its own. */
const asFirst = ['unshare', '-Ur', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Words that run it in a container where some others have run before, so many more the higher `nth`. */
function asLater(nth: number): readonly string[] {
  const script = `for i in $(seq ${nth * 5}); do /bin/true; done; "$@"; exit $?`;
  return [...asFirst, '/bin/sh', '-c', script, 'sh'];
}

async function startHanging(words: readonly string[], path: string): Promise<ChildProcess> {
  const [first, ...rest] = [...words, process.execPath, await builtScript(program), 'hang', path];
  const child = spawn(first, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('processes of several containers exclude each other, and one that died is not waited for', async () => {
  const script = await builtScript(program);
  const folder = tempFolder('store');
  const path = join(folder, 'store');
  const counter = join(folder, 'counter');
  writeFileSync(counter, '0');
  const holder = await startHanging(asFirst, path);
  await Promise.all(
    [1, 2, 3].map((nth) => {
      const [first, ...words] = [...asLater(nth), process.execPath, script, 'count', path, counter];
      return run(first, words);
    }),
  );
  expect(readFileSync(counter, 'utf8')).toBe('15');
  await kill(holder);
  const store = await openStore(path);
  onTestFinished(() => store.close());
  const lock = await store.locks.acquire('held', { signal: AbortSignal.timeout(10_000) });
  await lock.release();
});

test('a process is told at once when one of another container has its number, until that has ended', async () => {
  const script = await builtScript(program);
  const path = join(tempFolder('store'), 'store');
  const [first, ...words] = [...asFirst, process.execPath, script, 'commit', path];
  const holder = await startHanging(asFirst, path);
  await expect(run(first, words)).rejects.toMatchObject({
    stderr: expect.stringContaining('another container has a process 1 as well') as string,
  });
  await kill(holder);
  await expect(run(first, words)).resolves.toBeDefined();
});

test('the command line takes another number when its own is taken', async () => {
  const { env, folder } = testProject();
  await startHanging(asFirst, env['CAIRN_STORE']!);
  const [first, ...words] = [...asFirst, process.execPath, mainFile, 'build', 'words@x86_64-linux'];
  await run(first, words, { cwd: folder, env });
  const failed = run(first, [...words.slice(0, -1), 'nothing'], { cwd: folder, env });
  await expect(failed).rejects.toMatchObject({ code: 2 });
});

test('a process that is stopped, not ended, keeps what it holds', async () => {
  const script = await builtScript(program);
  const path = join(tempFolder('store'), 'store');
  const child = await startUntilReady(script, 'hang', path);
  child.kill('SIGSTOP');
  const store = await openStore(path);
  onTestFinished(() => store.close());
  expect(await store.locks.tryAcquire('held')).toMatchObject({ kind: 'held' });
  await run(process.execPath, [script, 'commit', path]);
  expect(filesIn(join(path, 'tmp'))).toContain('left');
});

test('file systems that other machines may reach are known by their numbers', () => {
  const local = { ext4: 0xef53, xfs: 0x58465342, btrfs: 0x9123683e, tmpfs: 0x01021994, overlay: 0x794c7630 };
  for (const type of Object.values(local)) expect(networkFileSystemOf(type)).toBeUndefined();
  expect([0x6969, 0xff534d42 | 0, 0x01021997].map(networkFileSystemOf)).toEqual(['NFS', 'CIFS', '9P']);
});

test('a lock excludes other processes', async () => {
  const script = await builtScript(program);
  const folder = tempFolder('store');
  const counter = join(folder, 'counter');
  writeFileSync(counter, '0');
  await Promise.all(
    Array.from({ length: 4 }, () => run(process.execPath, [script, 'count', join(folder, 'store'), counter])),
  );
  expect(readFileSync(counter, 'utf8')).toBe('20');
});

test('a full disk is an error that names the folder, and leaves nothing half-visible', async () => {
  const script = await builtScript(program);
  const folder = tempFolder('full');
  const source = tempFolder('source');
  for (let at = 0; at < 4; at++) writeFileSync(join(source, `f${at}`), Buffer.alloc(9_000_000, `${at}`));
  const inside = [
    'mount -t tmpfs -o size=24m none "$1"',
    '"$2" "$3" fill "$1/store" "$4"',
    'find "$1/store/blobs" "$1/store/tmp" -type f | wc -l',
  ].join(' && ');
  const { stdout, stderr, status } = spawnSync(
    'unshare',
    ['-Urm', 'sh', '-c', inside, 'sh', folder, process.execPath, script, source],
    { encoding: 'utf8' },
  );
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const lines = stdout.trim().split('\n');
  expect(lines.slice(0, 3)).toEqual(
    Array.from(
      { length: 3 },
      (): unknown =>
        expect.stringMatching(
          new RegExp(`^DISK_FULL: no space left in ${folder}/store \\(\\d+ MB free\\)$`),
        ) as string,
    ),
  );
  expect(lines.slice(3)).toEqual(['then 1', '1']);
  expect(existsSync(join(folder, 'store'))).toBe(false);
});
