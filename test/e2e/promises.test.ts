// The promises of the design, each tried on the built command line with real sandboxes.

import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  truncateSync,
  chmodSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  busyboxFlake,
  cairnProject,
  finished,
  smallGraph,
  stepsThat,
  type CairnProject,
} from '../support/cairn-project.ts';
import { processesWith } from '../support/processes.ts';

const project = (outputs: string): CairnProject => cairnProject(busyboxFlake(outputs));

// The digest of an output as `cairn build --json` reports it.
async function digestOf(
  of: CairnProject,
  target: string,
  options?: Parameters<CairnProject['run']>[1],
): Promise<unknown> {
  const ran = await of.run(['build', target, '--json'], options);
  expect(ran.stderr).toBe('');
  expect(ran.status).toBe(0);
  const digest = ran.events.find((event) => event['type'] === 'target')?.['digest'];
  expect(digest).toMatch(/^[0-9a-f]{64}\/\d+$/);
  return digest;
}

// The files that hold blobs of a store.
function blobFiles(store: string): string[] {
  return readdirSync(join(store, 'blobs')).flatMap((shard) =>
    readdirSync(join(store, 'blobs', shard)).map((name) => join(store, 'blobs', shard, name)),
  );
}

describe('same inputs, same outputs', () => {
  const outputs = `{ all: command('all', 'umask; mkdir -p $out/b $out/a; echo $HOME $PWD > $out/a/env; id > $out/b/id; date > /dev/null; env | sort | grep -v -e MAKEFLAGS > $out/env; ls /bin > $out/ls') }`;

  it('whatever the folder, home, umask, locale, time zone and number of jobs', async () => {
    const here = project(outputs);
    const there = project(outputs);
    const first = await digestOf(here, 'all');
    const env = { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', TZ: 'Pacific/Chatham', HOME: there.store };
    const second = await digestOf(there, 'all', { env, through: ['sh', '-c', 'umask 077; exec "$@"', 'sh'] });
    expect(second).toEqual(first);
  });

  it('is what cairn check finds, and it says where a step that is not reproducible differs', async () => {
    const of = project(`{
      good: command('good', 'echo same > $out/file'),
      bad: command('bad', 'echo same > $out/file; echo $PWD > $out/where'),
    }`);
    expect((await of.run(['build', 'good', 'bad'])).status).toBe(0);
    expect((await of.run(['check', 'good'])).status).toBe(0);
    const bad = await of.run(['check', 'bad']);
    expect(bad.status).toBe(4);
    expect(bad.stdout + bad.stderr).toContain('where');
    expect(bad.stdout + bad.stderr).not.toContain('file ');
  });

  it('is what cairn check finds of the time and of the processors, as soon as a step was built', async () => {
    const of = project(`{
      time: command('time', 'date +%s > $out/file'),
      processors: command('processors', 'nproc > $out/file; grep -c ^processor /proc/cpuinfo >> $out/file'),
    }`);
    expect((await of.run(['check', 'time'])).status).toBe(4);
    // With one processor there is no other number to try.
    expect((await of.run(['check', 'processors'])).status).toBe(availableParallelism() > 1 ? 4 : 0);
  });
});

describe('nothing is done twice', () => {
  it('a build with nothing to do starts no step', async () => {
    const of = project(smallGraph(3, 4));
    await digestOf(of, 'all');
    const again = await of.run(['build', 'all', '--json']);
    expect(again.events.filter((event) => event['type'] === 'step-started')).toEqual([]);
  });

  it('a comment in the leaf of a graph rebuilds that leaf and none of its dependents', async () => {
    const of = project(smallGraph(3, 4));
    const before = await digestOf(of, 'all');
    of.write(
      'flake-like.config.ts',
      busyboxFlake(smallGraph(3, 4, '# another remark'))['flake-like.config.ts']!,
    );
    const changed = await of.run(['build', 'all', '--json']);
    expect(stepsThat('built', changed)).toEqual(['n0-0']);
    expect(await digestOf(of, 'all')).toEqual(before);
    const third = await of.run(['build', 'all', '--json']);
    expect(third.events.filter((event) => event['type'] === 'step-finished')).toEqual([]);
  });

  it('two and eight processes that want the same thing build it once', async () => {
    for (const processes of [2, 8]) {
      const of = project(smallGraph(3, 4));
      const ran = await Promise.all(
        Array.from({ length: processes }, () => of.run(['build', 'all', '--json'])),
      );
      expect(ran.map(({ status }) => status)).toEqual(Array(processes).fill(0));
      const built = ran.flatMap((one) => stepsThat('built', one)).filter((name) => /^(n\d|all)/.test(name));
      expect(built.sort()).toEqual([...new Set(built)].sort());
      expect(built).toHaveLength(13);
    }
  });
});

describe('nothing is lost', () => {
  it('50 kills at random moments, then the same command gives the same digest', async () => {
    const whole = project(smallGraph(4, 6));
    const expected = await digestOf(whole, 'all');
    const of = project(smallGraph(4, 6));
    for (let kill = 0; kill < 50; kill++) {
      const child = of.start(['build', 'all', '--json', '-j', '3']);
      const ended = finished(child);
      const delayMs = Math.random() * 700;
      const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), delayMs);
      await ended;
      clearTimeout(timer);
    }
    expect(await digestOf(of, 'all')).toEqual(expected);
    expect((await of.run(['store', 'verify'])).status).toBe(0);
    expect(processesWith(of.store)).toEqual([]);
  });

  it('Ctrl-C ends everything within two seconds and leaves nothing running', async () => {
    const of = project(`{ slow: command('slow', 'sleep 1000 & sleep 1000 & echo started; wait') }`);
    const child = of.start(['build', 'slow', '--json']);
    const ended = finished(child);
    await new Promise<void>((resolve) =>
      child.stdout!.on('data', (chunk: Buffer) => chunk.includes('started\\n') && resolve()),
    );
    const interrupted = performance.now();
    process.kill(child.pid!, 'SIGINT');
    expect((await ended).status).toBe(130);
    expect(performance.now() - interrupted).toBeLessThan(2000);
    expect(processesWith(of.store)).toEqual([]);
    expect(readdirSync(join(of.store, 'tmp'))).toEqual([]);
  });
});

describe('nothing is trusted blindly', () => {
  it('truncated, corrupt and missing content is noticed and built again', async () => {
    const of = project(smallGraph(2, 3));
    const expected = await digestOf(of, 'all');
    const damage: ((path: string) => void)[] = [
      (path) => truncateSync(path, 1),
      (path) => {
        chmodSync(path, 0o644);
        writeFileSync(path, readFileSync(path).fill(0));
      },
      (path) => rmSync(path),
    ];
    for (const [at, harm] of damage.entries()) {
      const target = blobFiles(of.store).find((path) => readFileSync(path, 'latin1') === 'n1-0\n')!;
      rmSync(join(of.store, 'trees'), { recursive: true, force: true });
      mkdirSync(join(of.store, 'trees'));
      chmodSync(target, 0o644);
      harm(target);
      const verified = await of.run(['store', 'verify']);
      expect(verified.status).toBe(20);
      // A new consumer needs what was damaged.
      of.write(
        'flake-like.config.ts',
        busyboxFlake(smallGraph(2, 3).replace("command('all', '", `command('all', '#${at}\\n`))[
          'flake-like.config.ts'
        ]!,
      );
      const ran = await of.run(['build', 'all', '--json']);
      expect(ran.status, ran.stdout + ran.stderr).toBe(0);
      expect(stepsThat('built', ran)).toContain('n1-0');
      expect(await digestOf(of, 'all')).toEqual(expected);
    }
  });
});

describe('what is handed out is whole', () => {
  const outputs = `(() => {
    const file = command('file', 'echo text > $out/file');
    return { file, all: compose({ name: 'all', parts: [file] }) };
  })()`;

  it.each([
    ['build', ['build', 'all', '--out-link', 'result']],
    ['cat', ['cat', 'all/file']],
    ['path', ['path', 'all']],
  ])('content that is gone is built again in the same run by %s', async (_, args) => {
    const of = project(outputs);
    await digestOf(of, 'all');
    const blob = blobFiles(of.store).find((path) => readFileSync(path, 'latin1') === 'text\n')!;
    rmSync(blob);
    rmSync(join(of.store, 'trees'), { recursive: true });
    mkdirSync(join(of.store, 'trees'));
    const ran = await of.run(args);
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    expect(readFileSync(blob, 'utf8')).toBe('text\n');
    expect((await of.run(['cat', 'all/file'])).stdout).toBe('text\n');
  });

  it('what a person does to a result changes nothing that is built from it', async () => {
    const of = project(`(() => {
      const lib = command('lib', 'mkdir $out/lib; echo text > $out/lib/file');
      return { lib, user: run({ name: 'user', layers: [shell], inputs: { '/lib': lib }, argv: ['/bin/sh', '-c', 'ls -R /lib > $out/seen'] }) };
    })()`);
    expect((await of.run(['build', 'lib', '--out-link', 'result'])).status).toBe(0);
    const result = join(of.folder, 'result');
    for (const folder of [realpathSync(result), join(result, 'lib')]) chmodSync(folder, 0o755);
    renameSync(join(result, 'lib'), join(result, 'moved'));
    writeFileSync(join(result, 'extra'), '');
    expect((await of.run(['build', 'user'])).status).toBe(0);
    expect((await of.run(['cat', 'user/seen'])).stdout).toBe('/lib:\nlib\n\n/lib/lib:\nfile\n');
  });
});
