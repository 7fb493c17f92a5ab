// Requests that fail: which reason each one gets, what it leaves for a person, and what it costs the machine.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuildRequest, ExecuteResult, Executor } from '../../../engine/execute/executor.ts';
import { failedSteps } from '../../../engine/sandbox/failed-steps.ts';
import { processesWith } from '../../support/processes.ts';
import { executorFixture, type ExecutorFixture } from '../../support/sandbox-fixture.ts';
import { execute, scriptRequest, stepFolders, textOf } from '../../support/sandbox-run.ts';

let fixture: ExecutorFixture;
let executor: Executor;
beforeAll(async () => {
  fixture = await executorFixture();
  ({ executor } = fixture);
});
afterAll(() => fixture.close());

type Failed = Extract<ExecuteResult, { kind: 'failed' }>;

async function failureOf(script: string, others?: Partial<BuildRequest>): Promise<Failed> {
  const { result, text } = await execute(executor, scriptRequest(fixture, script, others));
  if (result.kind !== 'failed') throw new Error(`${result.kind}\n${text}`);
  return result;
}

describe('the reason', () => {
  test('is the exit status', async () => {
    expect(await failureOf('exit 3', { name: 'sed' })).toMatchObject({
      reason: { kind: 'exit', status: 3 },
      message: 'sed exited with status 3',
    });
  });

  test('is the signal that ended the command', async () => {
    expect((await failureOf('sh -c "kill -SEGV \\$\\$"; exit $?')).reason).toEqual({
      kind: 'signal',
      signal: 'SIGSEGV',
    });
  });

  test('is a limit on time', async () => {
    expect(await failureOf('sleep 100', { limits: { timeoutSeconds: 0.2 } })).toMatchObject({
      reason: { kind: 'timeout', limitSeconds: 0.2 },
      message: 'script ran longer than its limit of 0.2 seconds',
    });
  });

  test('is silence, but not while something is written', async () => {
    const limits = { silenceSeconds: 1 };
    expect((await failureOf('echo; sleep 100', { limits })).reason).toEqual({
      kind: 'silence',
      limitSeconds: 1,
    });
    await textOf(
      executor,
      scriptRequest(fixture, 'for i in 1 2 3 4 5; do sleep 0.3; echo; done', { limits }),
    );
  });

  test('is memory, summed over all processes', async () => {
    // Each of four shells holds 8 MB in a variable, which it still needs after the sleep.
    const script = 'for i in 1 2 3 4; do (x=$(yes | head -c 8000000); sleep 100; : "$x") & done; wait';
    const limits = { memoryBytes: 24 * 2 ** 20 };
    expect(await failureOf(script, { limits })).toMatchObject({
      reason: { kind: 'memory', limitBytes: limits.memoryBytes },
      message: 'script used more memory than its limit of 24 MiB',
    });
  });

  test('is the size of the log', async () => {
    const failure = await failureOf('yes', { limits: { logBytes: 100_000 } });
    expect(failure.reason).toEqual({ kind: 'log-size', limitBytes: 100_000 });
    expect(readFileSync(failure.logFile).length).toBeLessThan(300_000);
  });

  test('is not a full disk because the log says so: there is room', async () => {
    const failure = await failureOf('echo "ld: final link failed: No space left on device"; exit 1');
    expect(failure.reason).toEqual({ kind: 'exit', status: 1 });
    expect(failure.keptFolder).toBeDefined();
  });

  test.each([
    ['a fifo', 'mkfifo $out/fifo', '$out/fifo is a named pipe'],
    ['a name that is not UTF-8', String.raw`touch "$out/$(printf '\377')"`, 'in $out is not a UTF-8 name'],
    ['a link in place of the folder', 'rmdir $out; ln -s /usr $out', 'output out is not a folder any more'],
  ])('is an output that no tree can hold, as the step knows it: %s', async (_, script, message) => {
    const failure = await failureOf(script);
    expect(failure.reason).toEqual({ kind: 'bad-output' });
    expect(failure.message).toContain(message);
    expect(failure.message).not.toMatch(/\/\S*\/out/);
  });

  test('is the input when the command is not there, and says its path', async () => {
    expect(await failureOf('', { argv: ['/bin/absent', 'x'] })).toMatchObject({
      reason: { kind: 'input' },
      message: 'script could not be started: execvp /bin/absent: No such file or directory',
    });
  });

  test('is the input when it cannot be put where it should be', async () => {
    const inputs = [{ path: '/usr/bin/busybox/x', node: { kind: 'tree', digest: fixture.root } as const }];
    const failure = await failureOf('true', { inputs });
    expect(failure).toMatchObject({ reason: { kind: 'input' } });
    expect(failure.message).toContain('/usr/bin/busybox');
  });

  test('is the input when an argument is longer than the kernel takes', async () => {
    const failure = await failureOf('', { argv: ['/bin/true', 'x'.repeat(200_000)] });
    expect(failure.reason).toEqual({ kind: 'input' });
    expect(failure.message).toMatch(/too long/);
  });
});

describe('what is left', () => {
  test('is the whole log as a file, and its last lines without escape sequences', async () => {
    const failure = await failureOf(
      String.raw`i=0; while [ $i -lt 50 ]; do echo line $i; i=$((i+1)); done; printf '\033[31merror:\033[0m no\n 10%%\r100%% done'; exit 1`,
    );
    expect(failure.logTail).toHaveLength(20);
    expect(failure.logTail.slice(-3)).toEqual(['line 49', 'error: no', '100% done']);
    expect(readFileSync(failure.logFile, 'utf8')).toMatch(/^line 0\nline 1\n[^]*\u001b\[31merror/);
  });

  test('is the folder it worked in, with what it takes to enter it again', async () => {
    const failure = await failureOf('echo half > half-done; echo x > /etc-new; exit 1', { name: 'gawk' });
    expect(failure.keptFolder).toBe(join(fixture.store.path, 'failed', 'gawk-1'));
    expect(readFileSync(join(failure.keptFolder!, 'build/half-done'), 'utf8')).toBe('half\n');
    expect(failedSteps(fixture.store.path)).toContainEqual(
      expect.objectContaining({
        name: 'gawk-1',
        path: failure.keptFolder,
        request: expect.objectContaining({ name: 'gawk' }) as BuildRequest,
      }),
    );
  });

  test('is no more than the last five folders', async () => {
    for (let at = 0; at < 7; at++) await failureOf(`echo ${at} > x; exit 1`, { name: 'flaky' });
    const kept = failedSteps(fixture.store.path);
    expect(kept).toHaveLength(5);
    const contents = kept.map(({ path }) => readFileSync(join(path, 'build/x'), 'utf8').trim());
    expect(contents.sort()).toEqual(['2', '3', '4', '5', '6']);
  });
});

describe('cancelling', () => {
  test('ends everything that runs, and leaves nothing', async () => {
    const stop = new AbortController();
    const before = new Set(stepFolders(fixture.store));
    const marker = `cairn-cancelled-${process.pid}`;
    const script = `trap "" TERM; sleep 1000 & (trap "" TERM; while :; do :; done) & echo; wait # ${marker}`;
    const { result } = await execute(executor, scriptRequest(fixture, script, { name: 'cancelled' }), {
      signal: stop.signal,
      onOutput: () => stop.abort(),
    });
    expect(result).toEqual({ kind: 'cancelled' });
    expect(processesWith(marker)).toEqual([]);
    expect(
      readdirSync(join(fixture.store.path, 'logs')).filter((name) => name.startsWith('cancelled')),
    ).toEqual([]);
    expect(existsSync(join(fixture.store.path, 'failed', 'cancelled-1'))).toBe(false);
    await expect.poll(() => stepFolders(fixture.store).filter((name) => !before.has(name))).toEqual([]);
  });

  test('before the start runs nothing', async () => {
    const { result, text } = await execute(executor, scriptRequest(fixture, 'echo ran'), {
      signal: AbortSignal.abort(),
    });
    expect(result).toEqual({ kind: 'cancelled' });
    expect(text).toBe('');
  });

  test('one of several steps lets the others finish', async () => {
    const stop = new AbortController();
    const other = textOf(executor, scriptRequest(fixture, 'sleep 0.5; echo finished'));
    const stopped = execute(executor, scriptRequest(fixture, 'echo; sleep 1000'), {
      signal: stop.signal,
      onOutput: () => stop.abort(),
    });
    expect((await stopped).result.kind).toBe('cancelled');
    expect(await other).toBe('finished\n');
  });
});

// Last, since it takes a while until so deep a folder is gone.
test('a step that left nothing but folders deeper than any path is told so', async () => {
  // No path reaches further than some 2,000: each thousand is hung below the next.
  const script =
    'cd /tmp; deep=; for i in $(seq 1000); do deep=${deep}d/; done; mkdir x; ' +
    'for i in 1 2 3; do mkdir -p n/$deep && mv x n/${deep}x && mv n x; done';
  const failure = await failureOf(script, { mayBeEmpty: [] });
  expect(failure).toMatchObject({
    reason: { kind: 'bad-output' },
    message: 'script left nothing in its output out',
  });
});
