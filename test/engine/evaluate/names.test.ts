import { expect, test } from 'vitest';
import { closestNames } from '../../../engine/model/closest-names.ts';
import { findOutput } from '../../../engine/evaluate/evaluation.ts';
import type { UserError } from '../../../store/base/errors.ts';
import { configProject, configText } from '../../support/config-project.ts';

const names = ['bash', 'binutils', 'coreutils', 'diffutils', 'findutils', 'util-linux'];

test.each([
  ['coreutil', ['coreutils']],
  ['corutlis', ['coreutils']],
  ['bsah', ['bash']],
  ['fidutils', ['findutils', 'binutils']],
  ['utillinux', ['util-linux']],
  ['bash', ['bash']],
  ['kernel', []],
])('%s may have meant %j', (name, expected) => {
  expect(closestNames(name, names)).toEqual(expected);
});

async function evaluation() {
  const { evaluate } = await configProject({
    'flake-like.config.ts': configText(
      `Object.fromEntries(${JSON.stringify(names)}.map((name) => [name, run({ name, target, layers: [], argv: ['x'] })]))`,
    ),
  });
  return evaluate({ names: ['bash', 'bash@aarch64-linux'] });
}

const thrownBy = (work: () => unknown): UserError => {
  try {
    work();
  } catch (error) {
    return error as UserError;
  }
  throw new Error('nothing was thrown');
};

test('a name is found for the first target, or for the one it says', async () => {
  const found = await evaluation();
  expect(findOutput(found, 'bash')).toMatchObject({ name: 'bash', target: 'x86_64-linux', kind: 'run' });
  expect(findOutput(found, 'bash@aarch64-linux')).toMatchObject({ name: 'bash', target: 'aarch64-linux' });
});

test('a name alone is found for another target when the first one has no such output', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': configText(
      `target === 'aarch64-linux' ? { pc: run({ name: 'pc', target, layers: [], argv: ['x'] }) } : {}`,
    ),
  });
  const found = await evaluate({ names: ['pc'] });
  expect(findOutput(found, 'pc')).toMatchObject({ name: 'pc', target: 'aarch64-linux' });
});

test('an unknown name is answered with what it may have meant', async () => {
  const found = await evaluation();
  expect(thrownBy(() => findOutput(found, 'bahs'))).toMatchObject({
    code: 'TARGET_UNKNOWN',
    message: 'the config has no output "bahs" for x86_64-linux or aarch64-linux',
    hint: 'Did you mean bash? There is: bash, binutils, coreutils, diffutils, findutils, util-linux.',
  });
});

test('an unknown target is answered with those there are', async () => {
  const { failure } = await configProject({ 'flake-like.config.ts': configText('{}') });
  expect(await failure({ names: ['bash@x86_64'] })).toMatchObject({
    code: 'TARGET_UNKNOWN',
    message: 'the config has no target "x86_64"',
    hint: expect.stringContaining('There is: x86_64-linux, aarch64-linux.') as string,
  });
});
