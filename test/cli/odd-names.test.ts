// Names that mean something to JavaScript, from a config to a tree and back, as a person would meet them.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testProject } from './cairn.ts';

const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'];

test('files of such names are written, listed, read and kept', async () => {
  const project = testProject(`
const files = Object.fromEntries(${JSON.stringify(names)}.map((name) => [\`d/\${name}\`, \`\${name}\\n\`]));
const all = compose({ name: 'all', parts: [write({ name: 'files', files }), write({ name: 'top', files: { ['__proto__']: 'top\\n' } })] });
export default flake({ all, constructor: all });
`);
  expect(await project.run('build', 'all', 'constructor')).toMatchObject({ status: 0 });
  expect((await project.run('ls', 'all/d')).stdout.split('\n').filter(Boolean).sort()).toEqual(
    [...names].sort(),
  );
  for (const name of names) expect((await project.run('cat', `all/d/${name}`)).stdout).toBe(`${name}\n`);
  expect((await project.run('cat', 'constructor/__proto__')).stdout).toBe('top\n');
  expect(await project.run('store', 'gc')).toMatchObject({ status: 0 });
  expect(await project.run('store', 'verify')).toMatchObject({ status: 0 });
});

test("paths that nothing can be at are a person's mistakes", async () => {
  const project = testProject("export default flake({ a: write({ name: 'a', files: { a: '' } }) });");
  const long = 'x'.repeat(300);
  for (const [args, says] of [
    [['init', long], 'PATH_INVALID'],
    [['flash', 'a', long, '--yes'], 'there is no device'],
    [['diff', './a', 'a'], '"./a" is no output of the config, and files of this machine are not meant here'],
  ] as const)
    expect((await project.run(...args)).stderr).toContain(says);
  const folder = join(String(project.env['HOME']), '.config/cairn/caches.json');
  mkdirSync(folder, { recursive: true });
  expect((await project.run('build', 'a')).stderr).toContain(
    'caches.json: it cannot be read: it is a folder',
  );
});

test('an environment variable of such a name that is not declared is not there', async () => {
  const project = testProject(`
export default defineFlake({
  description: '',
  inputs: {},
  outputs: ({ env }) => ({ a: write({ name: 'a', files: { a: String(env['constructor']) } }) }),
});
`);
  const { status, stderr } = await project.run('build', 'a');
  expect(status).not.toBe(0);
  expect(stderr).toContain('environment variable constructor is not declared');
});
