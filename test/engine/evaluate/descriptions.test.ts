// What outputs say of themselves, however a flake gives them.

import { expect, test } from 'vitest';
import { configProject, configText } from '../../support/config-project.ts';

const step = (rest = ''): string => `write({ name: 'a', files: { x: '' }, ${rest} })`;

async function described(output: string): Promise<readonly (string | undefined)[]> {
  const { evaluate } = await configProject({ 'flake-like.config.ts': configText(`{ a: ${output} }`) });
  return [...(await evaluate()).outputs.values()].map(({ description }) => description);
}

test.each([
  ['a derivation that says nothing', step(), undefined],
  ['a derivation that says it itself', step(`description: 'itself'`), 'itself'],
  ['one beside which it is said', `{ derivation: ${step()}, description: 'beside' }`, 'beside'],
  [
    'both: what is nearer to the output',
    `{ derivation: ${step(`description: 'itself'`)}, description: 'b' }`,
    'b',
  ],
  ['a package as a whole', `{ out: ${step(`description: 'itself'`)}, build: 1, dev: undefined }`, 'itself'],
  ['a package that says it', `{ out: ${step()}, description: 'of the package' }`, 'of the package'],
])('the description of %s', async (_, output, expected) => {
  expect(await described(output)).toEqual([expected]);
});

test('what a step says of itself changes no id', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': configText(`{ a: ${step()}, b: ${step(`description: 'another'`)} }`),
  });
  const [a, b] = [...(await evaluate()).outputs.values()];
  expect(a!.id).toBe(b!.id);
});

test.each([
  ['no text', 'description: 7'],
  ['half a character', String.raw`description: '\ud800'`],
])('a description that is %s is an error with its place', async (_, rest) => {
  const { failure } = await configProject({ 'flake-like.config.ts': configText(`{ a: ${step(rest)} }`) });
  expect(await failure()).toMatchObject({ code: 'DERIVATION_INVALID' });
});
