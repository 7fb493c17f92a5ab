// The conditions that a check varies: a step must notice each of them, or varying it would prove nothing.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BuildRequest, Executor, Variation } from '../../../engine/execute/executor.ts';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { Jobserver } from '../../../engine/schedule/jobserver.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { execute, literalOf, scriptRequest, textOf, treeOf } from '../../support/sandbox-run.ts';

let fixture: SandboxFixture;
let executor: Executor;
beforeAll(async () => {
  fixture = await sandboxFixture();
  executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool, jobs: new Jobserver(2) });
});
afterAll(async () => {
  await executor.close();
  await fixture.close();
});

const variation: Variation = {
  buildFolder: '/elsewhere/with-a-longer-name',
  uid: 1234,
  umask: 0o077,
  jobs: 5,
  processors: 1,
  shuffledReaddir: true,
};

test('another folder, user, umask and count of jobs', async () => {
  const request = scriptRequest(
    fixture,
    'pwd; echo $HOME; id -u; id -g; umask; echo "$CAIRN_JOBS $MAKEFLAGS"',
  );
  expect(await textOf(executor, request)).toBe(
    '/build\n/build\n0\n0\n0022\n2 -j2 --jobserver-auth=fifo:/dev/jobserver\n',
  );
  const { buildFolder } = variation;
  expect(await textOf(executor, request, { variation })).toBe(
    `${buildFolder}\n${buildFolder}\n1234\n1234\n0077\n5 -j5\n`,
  );
});

test('one processor, however a step asks', async () => {
  const request = scriptRequest(
    fixture,
    'nproc; grep -c ^processor /proc/cpuinfo; grep -c ^cpu[0-9] /proc/stat',
  );
  expect(await textOf(executor, request, { variation })).toBe('1\n1\n1\n');
});

test('another order of entries in layers and inputs, with the same content', async () => {
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`name-${at}`, `${at}`]));
  const node = await treeOf(fixture.store, { files, tool: '*x', alias: '-> files' });
  if (node.kind !== 'tree') throw new Error(node.kind);
  const look = (folder: string): string =>
    `cd ${folder}; find . -print; find . -type f | sort | xargs cat; find . -perm -100 | sort`;
  for (const [folder, where] of [
    ['/in', { inputs: [{ path: '/in', node }] }],
    ['/files', { layers: [fixture.root, node.digest] }],
  ] as const) {
    const request: BuildRequest = scriptRequest(fixture, look(folder), where);
    const [usual, varied] = [await textOf(executor, request), await textOf(executor, request, { variation })];
    expect(varied).not.toBe(usual);
    expect(varied.split('\n').sort()).toEqual(usual.split('\n').sort());
  }
});

test('layers and inputs whose halves are the same folder', async () => {
  const layers = await Promise.all(
    ['one', 'other'].map((name) => treeOf(fixture.store, { folder: { [`file-${name.length}`]: name } })),
  );
  const [one, other] = layers.map((node) => (node.kind === 'tree' ? node.digest : fixture.root));
  const empty = await treeOf(fixture.store, { folder: { empty: {} } });
  const request = scriptRequest(fixture, 'cat /folder/*; find /in', {
    layers: [fixture.root, one!, other!],
    inputs: [{ path: '/in', node: empty }],
  });
  expect(await textOf(executor, request, { variation })).toBe(await textOf(executor, request));
});

test('the same output when the step does not care', async () => {
  const request = scriptRequest(
    fixture,
    'mkdir $out/d; cat $(ls /usr/bin/make) | wc -c > $out/d/size; umask 022; echo x > $out/y',
  );
  const results = [await execute(executor, request), await execute(executor, request, { variation })];
  const trees = results.map(({ result }) =>
    result.kind === 'succeeded' ? result.outputs['out'] : undefined,
  );
  expect(trees[0]).toBeDefined();
  expect(trees[1]).toEqual(trees[0]);
  expect(await literalOf(fixture.store, trees[0]!)).toMatchObject({ y: 'x\n' });
});
