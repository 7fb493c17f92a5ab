// Requests that succeed: what a step is given, and what is taken from it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { otherConditions } from '../../../engine/check.ts';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { mostLayers } from '../../../engine/model/check-run.ts';
import { digestOf } from '../../../store/base/digest.ts';
import { MissingBlob, type Node } from '../../../store/index.ts';
import { executorFixture, type ExecutorFixture } from '../../support/sandbox-fixture.ts';
import {
  execute,
  literalOf,
  scriptRequest,
  stepFolders,
  textOf,
  treeOf,
  type Literal,
} from '../../support/sandbox-run.ts';
import type { BuildRequest, Executor, ResourceUse } from '../../../engine/execute/executor.ts';

let fixture: ExecutorFixture;
let executor: Executor;
beforeAll(async () => {
  fixture = await executorFixture();
  ({ executor } = fixture);
});
afterAll(() => fixture.close());

const request = (script: string, others?: Partial<BuildRequest>): BuildRequest =>
  scriptRequest(fixture, script, others);

async function outputsOf(wanted: BuildRequest): Promise<Record<string, Literal>> {
  const { result, text } = await execute(executor, wanted);
  if (result.kind !== 'succeeded') throw new Error(`${result.kind}: ${text}`);
  const literals: Record<string, Literal> = {};
  for (const [name, node] of Object.entries(result.outputs))
    literals[name] = await literalOf(fixture.store, node);
  return literals;
}

async function treeNode(literal: Literal): Promise<Node & { kind: 'tree' }> {
  return (await treeOf(fixture.store, literal)) as Node & { kind: 'tree' };
}

describe('outputs', () => {
  test('are what the step leaves in the folder that each one names', async () => {
    const script =
      'mkdir $out/bin; echo run > $out/bin/tool; chmod +x $out/bin/tool; ln -s bin/tool $out/link; echo h > $dev/a.h';
    expect(await outputsOf(request(script, { outputs: ['out', 'dev'] }))).toEqual({
      out: { bin: { tool: '*run\n' }, link: '-> bin/tool' },
      dev: { 'a.h': 'h\n' },
    });
  });

  test('are empty trees when the step leaves nothing, or removes the folder', async () => {
    expect(await outputsOf(request('rmdir $dev', { outputs: ['out', 'dev'] }))).toEqual({ out: {}, dev: {} });
  });

  test('do not depend on modes, owners, times or the umask of the step', async () => {
    const plain = await outputsOf(request('mkdir $out/d; echo x > $out/d/f'));
    const odd =
      'umask 077; mkdir $out/d; echo x > $out/d/f; touch -t 200001010000 $out/d/f; chmod 000 $out/d/f; chmod 500 $out/d';
    expect(await outputsOf(request(odd))).toEqual(plain);
  });

  test('that were moved from the build folder or the root are taken as well', async () => {
    expect(
      await outputsOf(
        request('echo b > b; mv b $out; echo r > /r; mv /r $out; cp /usr/bin/busybox /x; mv /x $out'),
      ),
    ).toEqual({
      out: { b: 'b\n', r: 'r\n', x: expect.any(String) as string },
    });
  });
});

describe('folders that may be kept for the next build', () => {
  test('are there, empty and as old as the folder they lie in, wherever the step begins', async () => {
    const incremental = { folders: ['objects', 'made/headers'], sources: [] };
    const script = 'find . | sort; stat -c "%n %a %Y" . made made/headers objects';
    const text = await textOf(executor, request(script, { incremental }));
    expect(text).toBe(
      './made\n./made/headers\n./objects\n'.replace(/^/, '.\n') +
        ['.', 'made', 'made/headers', 'objects'].map((name) => `${name} 755 315532800\n`).join(''),
    );
    const variation = { ...otherConditions, jobs: 1, processors: 1 };
    expect(await textOf(executor, request('pwd; ls', { incremental }), { variation })).toBe(
      `${otherConditions.buildFolder}\nmade\nobjects\n`,
    );
  });
});

describe('the root', () => {
  test('is the layers stacked, the last one on top', async () => {
    const low = await treeNode({ etc: { name: 'low', only: 'low' } });
    const high = await treeNode({ etc: { name: 'high' } });
    const layers = [fixture.root, low.digest, high.digest];
    expect(await textOf(executor, request('cat /etc/name /etc/only', { layers }))).toBe('highlow');
  });

  test('may have one layer several times: the topmost counts', async () => {
    const one = await treeNode({ name: 'one' });
    const other = await treeNode({ name: 'other' });
    const layers = [fixture.root, one.digest, other.digest, one.digest];
    expect(await textOf(executor, request('cat /name', { layers }))).toBe('one');
  });

  test('may be stacked of more than a hundred layers', async () => {
    const layers = await Promise.all(
      Array.from({ length: 130 }, async (_, at) => (await treeNode({ top: `${at}`, [`f${at}`]: '' })).digest),
    );
    const text = await textOf(
      executor,
      request('cat /top; ls / | grep -c ^f', { layers: [fixture.root, ...layers] }),
    );
    expect(text).toBe('129130\n');
  });

  test('with more layers than the kernel takes is refused, not cut off', async () => {
    const layers = Array.from({ length: mostLayers + 1 }, () => fixture.root);
    await expect(execute(executor, request('true', { layers }))).rejects.toThrow(/200 is the most/);
  });

  test('may be written to, which no other step sees', async () => {
    expect(await textOf(executor, request('rm /bin/make; echo x > /usr/x; cat /usr/x'))).toBe('x\n');
    expect(await textOf(executor, request('ls /bin/make /usr/x; true'))).toContain('/bin/make\n');
  });

  test('may be nothing at all: then the command is one of the inputs', async () => {
    const busybox = fixture.store.trees.lookup({ kind: 'tree', digest: fixture.root }, 'usr/bin/busybox')!;
    const argv = ['/tool/sh', '-c', 'echo alone'];
    const inputs = [{ path: '/tool/sh', node: busybox }];
    expect(await textOf(executor, request('', { layers: [], inputs, argv }))).toBe('alone\n');
  });
});

describe('inputs', () => {
  test('are trees, files and symlinks at their paths, whose parents are made', async () => {
    const tree = await treeNode({ a: 'A', more: { b: 'B' } });
    const inputs = [
      { path: '/deep/er/file', node: await treeOf(fixture.store, 'content') },
      { path: '/deep/er/tool', node: await treeOf(fixture.store, '*#!/bin/sh\necho ran') },
      { path: '/link', node: { kind: 'symlink', target: '/src/a' } as const },
      { path: '/src', node: tree },
    ];
    const script = 'cat /deep/er/file /src/more/b /link; /deep/er/tool; test -x /deep/er/file || echo plain';
    expect(await textOf(executor, request(script, { inputs }))).toBe('contentBAran\nplain\n');
  });

  test('may lie inside each other, the build folder and folders of a layer', async () => {
    const inputs = [
      { path: '/build/src', node: await treeNode({ a: 'A', patches: {} }) },
      { path: '/build/src/patches', node: await treeNode({ p: 'P' }) },
      { path: '/usr/bin/extra', node: await treeOf(fixture.store, '*#!/bin/sh\necho extra') },
    ];
    expect(await textOf(executor, request('cat src/a src/patches/p; extra', { inputs }))).toBe('APextra\n');
  });

  test('that are not in the store any more are reported by their digest', async () => {
    const digest = digestOf(Buffer.from('never stored'));
    const inputs = [{ path: '/in', node: { kind: 'blob', digest, executable: false } as const }];
    const failure = execute(executor, request('true', { inputs }));
    await expect(failure).rejects.toBeInstanceOf(MissingBlob);
    await expect(failure).rejects.toMatchObject({ digest });
  });
});

describe('what a command used', () => {
  const busy = 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done';

  async function useOf(script: string): Promise<ResourceUse> {
    const { result } = await execute(executor, request(script));
    if (result.kind !== 'succeeded') throw new Error(result.kind);
    return result.use;
  }

  test('is the processor time of all its processes', async () => {
    const before = executor.buildersCpuMs();
    const { cpuMs } = await useOf(`(${busy}) & (${busy}) & wait`);
    const idle = await useOf('true');
    expect(cpuMs).toBeGreaterThan(50);
    expect(cpuMs! + idle.cpuMs!).toBe(executor.buildersCpuMs() - before);
    expect(idle.cpuMs).toBeLessThan(cpuMs!);
  });

  test('is the most memory that they had together', async () => {
    const script = 'for i in 1 2; do (x=$(yes | head -c 8000000); sleep 2; : "$x") & done; wait';
    expect((await useOf(script)).peakMemoryBytes).toBeGreaterThan(16_000_000);
  });
});

describe('the log', () => {
  test('has both streams in the order they were written, and is kept with the result', async () => {
    const script = 'for i in 1 2 3; do echo out $i; echo err $i >&2; done; echo again > /dev/stderr';
    const { result, text } = await execute(executor, request(script));
    expect(text).toBe('out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nagain\n');
    if (result.kind !== 'succeeded') throw new Error(result.kind);
    expect(Buffer.from(await fixture.store.blobs.read(result.log!)).toString()).toBe(text);
  });

  test('is nothing when nothing was written', async () => {
    expect((await execute(executor, request('true'))).result).toMatchObject({
      kind: 'succeeded',
      log: undefined,
    });
  });

  test('arrives in whole characters, however it is written', async () => {
    const chunks: string[] = [];
    const script = String.raw`printf '\303'; sleep 0.05; printf '\244\360\237'; sleep 0.05; printf '\246\206'`;
    await execute(executor, request(script), { onOutput: (text) => chunks.push(text) });
    expect(chunks.join('')).toBe('ä🦆');
    expect(chunks.join('')).not.toContain('\ufffd');
  });
});

test('the environment of a request is added to the usual one, and wins', async () => {
  const env = { CFLAGS: '-O2', TZ: 'Europe/Berlin', ODD: `a'b "c"\n$HOME` };
  expect(await textOf(executor, request('echo "$CFLAGS|$TZ|$ODD|$HOME"', { env }))).toBe(
    `-O2|Europe/Berlin|a'b "c"\n$HOME|/build\n`,
  );
});

test('no signal is ignored or blocked, however this process was started', async () => {
  const argv = ['/bin/grep', '-E', '^Sig(Ign|Blk)', '/proc/self/status'];
  const status = await textOf(executor, request('', { argv }));
  expect(status).toBe('SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n');
});

test('what a step leaves running is ended with it', async () => {
  const started = performance.now();
  await execute(executor, request('sleep 1000 > /dev/null 2>&1 & sleep 1000 & true'));
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('steps run at the same time, and nothing of them is left when the executor is closed', async () => {
  const own = await createLocalExecutor({ store: fixture.store, tool: fixture.tool });
  const deep =
    'i=0; while [ $i -lt 300 ]; do mkdir deep-folder-name; cd deep-folder-name; i=$((i+1)); done; echo x > f';
  const scripts = [
    'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done',
    `${deep}; true`,
    'mkdir -p a/b; chmod 000 a',
    String.raw`touch "$(printf '/tmp/\377')"`,
  ];
  const results = await Promise.all(scripts.map((script) => execute(own, request(script))));
  expect(results.map(({ result }) => result.kind)).toEqual(scripts.map(() => 'succeeded'));
  expect(own.buildersCpuMs()).toBeGreaterThan(0);
  await own.close();
  expect(stepFolders(fixture.store)).toEqual([]);
});
