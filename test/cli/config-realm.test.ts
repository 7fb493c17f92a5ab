// What comes out of a config otherwise than by a call: it is the config's author who is told, and no fault of cairn.

import { expect, test } from 'vitest';
import { testProject } from './cairn.ts';

const outputs = `flake({ f: write({ name: 'f', files: {} }) })`;

test.each([
  ['a promise that nobody waits for', `Promise.reject(new Error('no'));\nexport default ${outputs};`, 'no'],
  ['one of something else', `Promise.reject(5);\nexport default ${outputs};`, 'it threw 5'],
  [
    'what is computed when it is looked at',
    `const keys = { ownKeys() { throw new Error('odd'); } };
export default defineFlake({ description: '', outputs: () => new Proxy({}, keys) });`,
    'odd',
  ],
])('%s', async (_, config, message) => {
  const { status, stderr } = await testProject(config).run('build', 'f');
  expect(stderr).toContain(`error[CONFIG_INVALID] the config failed: ${message}\n`);
  expect(status).toBe(2);
});

test('an output whose name is none is that one output’s mistake', async () => {
  const project = testProject(
    `export default flake({ 'my app': write({ name: 'm', files: {} }), f: write({ name: 'f', files: { a: 'x' } }) });`,
  );
  expect((await project.run('build', 'f')).status).toBe(0);
  const mistake = 'outputs.my app: a name has letters, digits and + . _ -';
  expect((await project.run('list')).stdout).toContain(`"my app"  broken: ${mistake}`);
  const { status, stderr } = await project.run('build', 'my app');
  expect(stderr).toContain(`error[CONFIG_INVALID] ${mistake}`);
  expect(status).toBe(2);
});
