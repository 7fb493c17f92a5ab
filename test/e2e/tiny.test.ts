// The smallest image, booted: from our own sources to a shell in an emulated machine. Its kernel and userland take a long
// time to build, so this is tried only on machines that have them, such as every one where tiny was built before; all
// images are booted, and nothing is left out, by `npm run test:images`.

import { expect, it, onTestFinished } from 'vitest';
import { systems } from '../../derivations/system/index.ts';
import { EmulatedMachine } from '../support/emulated-machine.ts';
import { skipWithout } from '../support/needs.ts';
import { builtOutput, runOwnCairn } from '../support/own-flake.ts';

const minutes = 60_000;

it(
  'tiny boots to a shell, which switches the machine off',
  async (context) => {
    skipWithout(context, await missingParts());
    await builtOutput('tiny');
    const machine = await EmulatedMachine.start({ image: 'tiny' });
    onTestFinished(() => machine.end());
    await machine.openShell(/root@tiny:~# /);
    expect(await machine.shell('uname --machine && cat /etc/hostname')).toEqual({
      status: 0,
      output: 'aarch64\ntiny',
    });
    machine.type('poweroff');
    expect(await machine.switchedOff()).toBe(0);
  },
  20 * minutes,
);

/** What keeps tiny from being built in a minute, by the plans of its parts and of itself; undefined when nothing does. */
async function missingParts(): Promise<string | undefined> {
  const packages = systems('aarch64-linux')
    .tiny.features.flatMap((feature) => feature.packages ?? [])
    .map((given) => (typeof given === 'string' ? given : given.card.name));
  const compiled = await toDo('run', ['kernel-tiny', ...packages]);
  if (compiled.length > 0) return `the store does not have ${list(compiled)}`;
  const downloaded = await toDo('fetch', ['tiny', 'emulator']);
  return downloaded.length > 0 ? `the store does not have ${list(downloaded)}` : undefined;
}

/** The names of the steps of one kind that building the targets would take. */
async function toDo(kind: string, targets: readonly string[]): Promise<string[]> {
  const ran = await runOwnCairn(['build', ...targets, '--dry-run', '--json']);
  expect(ran.status, ran.stdout + ran.stderr).toBe(0);
  return ran.events
    .filter((event) => event['type'] === 'planned-step' && event['kind'] === kind)
    .map((event) => String(event['name']));
}

function list(names: readonly string[]): string {
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ');
}
