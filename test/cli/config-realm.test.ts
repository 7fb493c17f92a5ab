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
