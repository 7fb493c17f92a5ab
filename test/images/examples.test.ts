// The examples of `cairn init`, each built from its copy alone; those that are images are started as well.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmulatedMachine } from '../support/emulated-machine.ts';
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

  it('image starts, and its service says so on its console', async () => {
    const config = await copied('image');
    await builtOutput('mine-direct', config);
    const said = 'Hello from a service of my own, on aarch64.';
    const ran = await runOwnCairn(['run', 'mine', '--direct', '--expect', said, '--config', config]);
    expect(ran).toMatchObject({ status: 0 });
  });

  it('kernel starts, has its options, and loads its module', async () => {
    const config = await copied('kernel');
    await builtOutput('mine-direct', config);
    const machine = await EmulatedMachine.start({
      image: 'mine',
      options: ['--direct', '--config', config],
    });
    onTestFinished(() => machine.end());
    await machine.openShell(/root@mine:~# /);
    const line =
      'modprobe hello; dmesg | grep -o "hello: a module of my own"; zcat /proc/config.gz | grep IKCONFIG_PROC';
    expect(await machine.shell(line)).toEqual({
      status: 0,
      output: 'hello: a module of my own\nCONFIG_IKCONFIG_PROC=y',
    });
  });
});
