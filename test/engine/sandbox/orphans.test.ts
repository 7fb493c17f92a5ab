// When cairn itself is killed, nothing that it started lives on.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { Launcher } from '../../../engine/sandbox/launcher.ts';
import { Rigs } from '../../../engine/sandbox/rigs.ts';
import { runSandbox } from '../../../engine/sandbox/run-sandbox.ts';
import { parentOf, processesWith } from '../../support/processes.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { scriptRequest } from '../../support/sandbox-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { outputUntil, startProgram } from '../../support/test-program.ts';

let fixture: SandboxFixture;
beforeAll(async () => {
  fixture = await sandboxFixture();
});
afterAll(() => fixture.close());

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  '%s to cairn ends the sandboxes it has started',
  async (signal) => {
    const marker = `cairn-orphan-${process.pid}-${signal}`;
    const program = startProgram({
      source: 'test/support/programs/build-forever.ts',
      args: [fixture.store.path, fixture.toolFolder, fixture.root, marker],
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await outputUntil(program.stdout!, 'begun');
    expect(processesWith(marker).length).toBeGreaterThan(2);
    program.kill(signal);
    await expect.poll(() => processesWith(marker)).toEqual([]);
  },
);

test('the loss of the process that starts sandboxes is an error that says so, and ends them', async () => {
  const executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool });
  const marker = `cairn-lost-${process.pid}`;
  const running = executor.execute(scriptRequest(fixture, `echo; sleep 1000 # ${marker}`), {
    signal: new AbortController().signal,
    onOutput: () => {
      for (const pid of processesWith('engine/workers/launcher.js'))
        if (parentOf(pid) === process.pid) process.kill(pid, 'SIGKILL');
    },
  });
  await expect(running).rejects.toMatchObject({ code: 'SANDBOX_UNAVAILABLE' });
  await expect.poll(() => processesWith(marker)).toEqual([]);
  await executor.close();
});

test('killed at any moment of their start, none is left behind', async () => {
  const marker = `cairn-moment-${process.pid}`;
  for (let delayMs = 0; delayMs < 150; delayMs += 15) {
    const stop = new AbortController();
    const executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool });
    const running = Array.from({ length: 3 }, () =>
      executor.execute(scriptRequest(fixture, `sleep 1000 # ${marker}`), {
        signal: stop.signal,
        onOutput: () => undefined,
      }),
    );
    setTimeout(() => stop.abort(), delayMs);
    expect(await Promise.all(running)).toEqual(running.map(() => ({ kind: 'cancelled' })));
    await executor.close();
    expect(processesWith(marker)).toEqual([]);
  }
});

test('what its first process has left when it is killed early is ended, though nobody has heard of it', async () => {
  const folder = tempFolder();
  const filter = join(folder, 'filter');
  writeFileSync(filter, '');
  const [launcher, rig] = [new Launcher(), await new Rigs(folder, fixture.tool).take()];
  onTestFinished(() => launcher.close());
  const marker = `cairn-stray-${process.pid}`;
  // As bubblewrap is between clone(2) and its first report.
  const killed = `
    const child = require('node:child_process').spawn(
      process.execPath, ['--eval', 'setInterval(() => {}, 1000)', '${marker}'], { stdio: ['ignore', 1, 2] });
    child.on('spawn', () => process.kill(process.pid, 'SIGKILL'));`;
  const end = await runSandbox([process.execPath, '--eval', killed], {
    ...{ launcher, rig, filter, umask: 0o022, limits: {} },
    signal: new AbortController().signal,
    onOutput: () => 0,
  });
  expect(end).toEqual({ kind: 'not-started' });
  expect(processesWith(marker)).toEqual([]);
});
