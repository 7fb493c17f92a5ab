// A container registry as a cache on the built command line: two people, two homes, two stores, and Debian's registry between them.

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { skipWithout } from '../support/needs.ts';
import { Registry, unpackRegistry } from '../support/registry.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { smallFlake, testProject } from './cairn.ts';

test('what one person pushes to a registry the other one pulls, also after its garbage was collected', async (context) => {
  const folder = tempFolder('registry');
  const program = join(folder, 'program');
  skipWithout(context, await unpackRegistry(program));
  const registry = await Registry.start({ program, folder: join(folder, 'runs') });
  onTestFinished(() => registry.stop('SIGKILL'));
  const cache = `oci://${registry.host}/team/cache`;
  const ci = testProject();
  const key = (await ci.run('key', 'generate', 'ci')).stdout.trim();
  expect((await ci.run('build', 'all')).status).toBe(0);
  const pushed = await ci.run('cache', 'push', 'all', '--to', cache);
  expect([pushed.status, pushed.stderr]).toEqual([0, '']);
  expect(pushed.stdout).toMatch(new RegExp(`^${cache} has 1 step, and took [\\d.]+ k?B\n$`));
  expect((await ci.run('cache', 'push', 'all', '--to', cache)).stdout).toMatch(/and had it all\n$/);
  await registry.collectGarbage({ untagged: true });

  const says = `export default defineFlake({ description: 'a test', caches: ['${cache}'], trust: { keys: ['${key}'] }, outputs: () =>`;
  const other = testProject(
    smallFlake.replace('export default flake(', `${says} (`).replace(/\);\n$/, ') });\n'),
  );
  const pulled = await other.run('cache', 'pull', 'all', '--json');
  expect(pulled.records().filter(({ type }) => type === 'step-finished')).toMatchObject([
    { name: 'all', outcome: 'substituted', signers: ['ci'] },
  ]);
  expect((await other.run('cat', 'all/share/words')).stdout).toBe('one\ntwo\nthree\n');
  expect((await other.run('why', 'all', '--against', cache)).stdout).toBe(
    `${cache} has all@x86_64-linux, signed by ci\n`,
  );
  const verified = await other.run('cache', 'verify', cache);
  expect([verified.status, verified.stderr]).toEqual([0, '']);

  await registry.stop();
  const gone = await testProject(smallFlake).run('build', 'all', '--cache', cache);
  expect([gone.status, gone.stderr]).toEqual([
    0,
    expect.stringContaining(`${cache} is not asked any more: `),
  ]);
  const tagged = await ci.run('cache', 'push', 'all', '--to', `${cache}:latest`);
  expect([tagged.status, tagged.stderr]).toEqual([1, expect.stringContaining('it names a tag or a digest')]);
});
