// What a system says it is, made as its step makes it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, write } from '../../engine/model/index.ts';
import type { Component } from '../../derivations/system/component.ts';
import { osRelease } from '../../derivations/system/os-release.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { filesOf } from '../support/composed-files.ts';
import { executorFixture, type ExecutorFixture } from '../support/sandbox-fixture.ts';
import { scriptRequest, textOf, treeOf } from '../support/sandbox-run.ts';

let fixture: ExecutorFixture;
beforeAll(async () => {
  fixture = await executorFixture();
});
afterAll(() => fixture.close());

const seed = run({ name: 'seed', layers: [], argv: ['/bin/true'] });
const component = (name: string, sha256: string): Component => ({
  name,
  version: '1.0',
  sources: [{ url: `mirror://debian/${name}.tar`, sha256: sha256.repeat(64) }],
  tree: write({ name, files: { [name]: name } }),
});

/** What os-release(5) has of a system of these components. */
async function released(...components: readonly Component[]): Promise<Record<string, string>> {
  const step = osRelease(components, seed);
  if (step.kind !== 'run') throw new Error(`${step.name} is no command`);
  const parts = step.inputs['/parts']!.derivation;
  const request = scriptRequest(fixture, `${step.argv[2]!}\ncat "$out/usr/lib/os-release"`, {
    inputs: [{ path: '/parts', node: await treeOf(fixture.store, filesOf(parts)) }],
  });
  const lines = (await textOf(fixture.executor, request)).trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.replaceAll('"', '').split('=') as [string, string]));
}

test('a system names the release of cairn that it is of, and a build that follows from its sources alone', async () => {
  const [bash, sed] = [component('bash', 'a'), component('sed', 'b')];
  const one = await released(bash, sed);
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  expect(one).toMatchObject({ ID: 'cairn', VERSION_ID: version, PRETTY_NAME: `cairn ${version}` });
  expect(one['BUILD_ID']).toMatch(/^[0-9a-f]{16}$/);
  expect(await released(bash, { ...sed, tree: bash.tree })).toEqual(one);
  const other = await released(bash, component('sed', 'c'));
  expect(other).toEqual({ ...one, BUILD_ID: other['BUILD_ID'] });
  expect(other['BUILD_ID']).not.toBe(one['BUILD_ID']);
});
