// cairn run --expect as a script sees it: status, what is on which stream, and that nothing is left running.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { busyboxFlake, cairnProject, finished, type CairnProject } from '../support/cairn-project.ts';
import { processesWith } from '../support/processes.ts';
import { talkingMachine } from '../support/talking-machine.ts';

const project = (script: string): CairnProject => cairnProject(busyboxFlake(talkingMachine(script)));

/** What machines wrote: gone when they are. */
function scratchOf({ store }: CairnProject): string[] {
  const names = readdirSync(join(store, 'tmp'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /run-\d+/.test(name));
}

it('writes the console to standard output, and a line of its own to standard error', async () => {
  const machine = project('printf "booting\\r\\nlogin: "; exec sleep 7001');
  const ran = await machine.run(['run', 'talking', '--expect', 'login:', '--expect', 'booting']);
  expect(ran.status, ran.stderr).toBe(0);
  expect(ran.stdout).toBe('booting\r\nlogin: \n');
  expect(ran.stderr).toMatch(/^said after \d.*: "login:", "booting"$/m);
  expect(processesWith('sleep 7001')).toEqual([]);
  expect(scratchOf(machine)).toEqual([]);
});

it('fails with what was not said, why nobody waits any more, and the end of the console', async () => {
  const machine = project('echo one; echo two; echo no such disk >&2; exit 3');
  const ran = await machine.run(['run', 'talking', '--expect', 'two', '--expect', 'three']);
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain(
    'error[EXPECT_FAILED] the console did not say "three": it ended with status 3 before: no such disk. It said last:\none\ntwo\n',
  );
  expect(scratchOf(machine)).toEqual([]);
});

it('fails when the time is over, which begins with the machine', async () => {
  const machine = project('echo one; exec sleep 7002');
  const ran = await machine.run(['run', 'talking', '--expect', 'two', '--timeout', '1', '--json']);
  expect(ran.status).toBe(1);
  expect(ran.events.at(-1)).toMatchObject({ type: 'error', status: 1, code: 'EXPECT_FAILED' });
  expect(ran.events.at(-1)!['message']).toContain('not within 1.0 s. It said last:\none');
  expect(processesWith('sleep 7002')).toEqual([]);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('is ended by %s, and takes its machine along', async (signal, status) => {
  const machine = project('echo one; exec sleep 7003');
  const child = machine.start(['run', 'talking', '--expect', 'two']);
  const ended = finished(child);
  let scratch: string[] = [];
  child.stdout!.once('data', () => {
    scratch = scratchOf(machine);
    child.kill(signal);
  });
  expect((await ended).status).toBe(status);
  expect(scratch.length).toBeGreaterThan(0);
  expect(processesWith('sleep 7003')).toEqual([]);
  expect(scratchOf(machine)).toEqual([]);
});
