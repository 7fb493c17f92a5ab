// Two processes build on one store. Commands are played and end when a gate is opened, so that it is known what each
// process may do while another is at something; what happens is compared as a log of events.

import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { builtScript } from '../../support/built-script.ts';
import type { BehindGates } from '../../support/programs/build-behind-gates.ts';
import { tempFolder } from '../../support/temp-folder.ts';

interface Rig {
  /** Starts a process that builds these steps, the more urgent ones first. */
  readonly start: (process: string, jobs: number, ...steps: string[]) => Promise<ChildProcess>;
  /** Lets a command end, or its process die. */
  readonly open: (gate: string) => void;
  readonly log: () => string[];
  /** How a process says that steps ended, in any order. */
  readonly outcomes: (process: string) => string[];
  /** Waits until the log has the event. */
  readonly until: (event: string) => Promise<void>;
}

function rig(): Rig {
  const folder = tempFolder('gates');
  const logFile = join(folder, 'log');
  const log = (): string[] =>
    existsSync(logFile) ? readFileSync(logFile, 'utf8').split('\n').slice(0, -1) : [];
  return {
    log: () => log().filter((event) => !event.includes(' has ')),
    outcomes: (process_) =>
      log()
        .filter((event) => event.startsWith(`${process_} has `))
        .map((event) => event.split(' has ')[1]!)
        .sort(),
    open: (gate) => writeFileSync(join(folder, gate), ''),
    start: async (process_, jobs, ...steps) => {
      const options: BehindGates = {
        process: process_,
        store: join(folder, 'store'),
        log: logFile,
        gates: folder,
        jobs,
        steps,
      };
      const script = await builtScript('test/support/programs/build-behind-gates.ts');
      const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: 'inherit' });
      onTestFinished(() => void child.kill('SIGKILL'));
      return child;
    },
    until: async (event) => {
      while (!log().includes(event)) await setTimeout(5);
    },
  };
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

test('a process does not wait for a step that another one has only queued', async () => {
  const { start, open, until, log, outcomes } = rig();
  const first = await start('first', 1, 'long', 'queued');
  await until('first runs long');
  open('queued');
  const second = await start('second', 1, 'queued');
  await ended(second);
  open('long');
  await ended(first);
  expect(log()).toEqual(['first runs long', 'second runs queued', 'second ends queued', 'first ends long']);
  expect(outcomes('second')).toEqual(['queued built']);
  expect(outcomes('first')).toEqual(['long built', 'queued reused']);
});

test('a step that another process is doing holds no slot, and what that gave is taken', async () => {
  const { start, open, until, log, outcomes } = rig();
  const first = await start('first', 1, 'shared');
  await until('first runs shared');
  open('own');
  const second = await start('second', 1, 'shared', 'own');
  await until('second has own built');
  open('shared');
  await Promise.all([ended(first), ended(second)]);
  expect(log().filter((event) => event.startsWith('second'))).toEqual([
    'second waits for shared',
    'second runs own',
    'second ends own',
  ]);
  expect(outcomes('second')).toEqual(['own built', 'shared reused']);
});

test('a step whose process died is done when there is a slot for it again, not before', async () => {
  const { start, open, until, log, outcomes } = rig();
  const first = await start('first', 1, 'shared');
  await until('first runs shared');
  const second = await start('second', 1, 'shared', 'own');
  await until('second runs own');
  open('shared.dies');
  await ended(first);
  open('shared');
  // Long enough for the other process to have looked whether the lock is free: it has no slot to begin with.
  await setTimeout(500);
  open('own');
  await ended(second);
  expect(log()).toEqual([
    'first runs shared',
    'second waits for shared',
    'second runs own',
    'second ends own',
    'second runs shared',
    'second ends shared',
  ]);
  expect(outcomes('second')).toEqual(['own built', 'shared built']);
});
