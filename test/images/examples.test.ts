// The examples of `cairn init`, each built from its copy alone; those that are images are started as well.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtOutput, runOwnCairn } from '../support/own-flake.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** The config of a project that is a copy of the example. */
async function copied(example: string): Promise<string> {
  const folder = tempFolder('example');
  expect(await runOwnCairn(['init', folder, '--example', example])).toMatchObject({ status: 0 });
  return join(folder, 'flake-like.config.ts');
}

describe('the example', () => {
  it.each([
    ['package', 'hello', 'usr/bin/hello'],
    ['c-library', 'default', 'usr/bin/greet'],
    ['c-library', 'greeting-dev', 'usr/include/greeting.h'],
    ['root', 'default', 'usr/bin/busybox'],
    ['python', 'default', 'bin/wordcount'],
    ['node', 'default', 'bin/wordcount'],
  ])('%s builds %s', async (example, output, file) => {
    expect(existsSync(join(await builtOutput(output, await copied(example)), file))).toBe(true);
  });

  it.each([
    ['image', 'a service of its own', 'Hello from a service of my own, on aarch64.'],
    ['kernel', 'a shell', 'root@mine'],
  ])('%s starts, and there is %s on its console', async (example, _, said) => {
    const config = await copied(example);
    await builtOutput('mine-direct', config);
    const ran = await runOwnCairn(['run', 'mine', '--direct', '--expect', said, '--config', config]);
    expect(ran).toMatchObject({ status: 0 });
  });
});
