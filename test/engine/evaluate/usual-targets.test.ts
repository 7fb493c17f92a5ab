// What a flake that names no targets is for.

import { expect, test } from 'vitest';
import { targetsOfThisMachine } from '../../../engine/evaluate/usual-targets.ts';
import { configProject } from '../../support/config-project.ts';

test("the machine's own target comes first, and no other is left out", () => {
  expect(targetsOfThisMachine('x64')).toEqual(['x86_64-linux', 'aarch64-linux']);
  expect(targetsOfThisMachine('arm64')).toEqual(['aarch64-linux', 'x86_64-linux']);
});

test('a machine of another kind has all that cairn knows', () => {
  expect(targetsOfThisMachine('riscv64')).toEqual(['aarch64-linux', 'x86_64-linux']);
});

test('a flake that says nothing of inputs and targets has none, and those of the machine', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': `
      import { defineFlake, write } from 'cairn-build';
      export default defineFlake({ description: 'x', outputs: () => ({ a: write({ name: 'a', files: { x: '' } }) }) });`,
  });
  const { flake, outputs } = await evaluate();
  expect(flake.targets).toEqual(targetsOfThisMachine());
  expect([...outputs.keys()]).toEqual([`a@${targetsOfThisMachine()[0]}`]);
});

test('a name alone means the first target that the flake names', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': `
      import { defineFlake, write } from 'cairn-build';
      export default defineFlake({
        description: 'x',
        targets: ['aarch64-linux', 'x86_64-linux'],
        outputs: () => ({ a: write({ name: 'a', files: { x: '' } }) }),
      });`,
  });
  expect([...(await evaluate({ names: ['a'] })).outputs.keys()]).toEqual(['a@aarch64-linux']);
});
