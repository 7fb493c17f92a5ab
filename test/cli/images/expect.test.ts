// A run as a test: a process's output is read until everything was said, it has ended, or nobody waits any longer; then
// it is gone in any case. The machines here are shells.

import { spawn, type ChildProcess } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { expectOnConsole, type Expectation, type Verdict } from '../../../cli/images/expect.ts';

function shell(script: string): ChildProcess {
  const child = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

interface Heard {
  readonly verdict: Verdict;
  readonly said: readonly string[];
  readonly text: string;
}

async function listen(
  child: ChildProcess,
  { texts, timeoutMs = 60_000 }: Partial<Expectation> & Pick<Expectation, 'texts'>,
  signal = new AbortController().signal,
): Promise<Heard> {
  const said: string[] = [];
  let text = '';
  const verdict = await expectOnConsole(
    child,
    { texts, timeoutMs },
    {
      signal,
      onText: (piece) => (text += piece),
      onSaid: (one) => said.push(one),
    },
  );
  return { verdict, said, text };
}

function isGone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Says what it is told to, and then runs on. */
const andOn = (script: string): string => `${script}; exec sleep 600`;

describe('a machine that says everything', () => {
  it('is ended at once', async () => {
    const child = shell(andOn('printf "one\\r\\n"; sleep 0.1; printf tw; sleep 0.1; printf "o\\n"'));
    const { verdict, said, text } = await listen(child, { texts: ['two', 'one'] });
    expect(verdict.kind).toBe('said');
    expect(said).toEqual(['one', 'two']);
    expect(text).toContain('one\r\ntwo');
    expect(isGone(child)).toBe(true);
  });

  it('may say letters of several bytes in pieces', async () => {
    const child = shell(andOn(String.raw`printf 'gr\303'; sleep 0.2; printf '\274n'`));
    expect((await listen(child, { texts: ['grün'] })).verdict.kind).toBe('said');
  });

  it('has done so when it ends with that', async () => {
    expect((await listen(shell('printf done'), { texts: ['done'] })).verdict.kind).toBe('said');
  });

  it('is ended by force when it does not care', async () => {
    const child = shell("trap '' TERM; echo up; while :; do sleep 1; done");
    expect((await listen(child, { texts: ['up'] })).verdict.kind).toBe('said');
    expect(child.signalCode).toBe('SIGKILL');
  });
});

describe('a machine that does not', () => {
  const notSaid = async (child: ChildProcess, options: Partial<Expectation> = {}) => {
    const { verdict } = await listen(child, { texts: ['up', 'login:'], ...options });
    expect(isGone(child)).toBe(true);
    if (verdict.kind === 'said') throw new Error('it was said');
    return verdict;
  };

  it('is ended when the time is over, with what it said last', async () => {
    const script = andOn('for line in $(seq 1 50); do echo "line $line"; done; printf "up \\033[31mand"');
    const verdict = await notSaid(shell(script), { timeoutMs: 1000 });
    expect(verdict).toMatchObject({ missing: ['login:'], because: 'not within 1.0 s' });
    expect(verdict.lastLines).toHaveLength(20);
    expect(verdict.lastLines.at(-1)).toBe('up and');
  });

  it.each([
    ['exit 0', 'it was switched off before'],
    ['echo no disk >&2; echo at all >&2; exit 3', 'it ended with status 3 before: no disk; at all'],
    ['kill -SEGV $$', 'it ended by SIGSEGV before'],
  ])('has ended: %s', async (script, because) => {
    expect((await notSaid(shell(`echo up; ${script}`))).because).toBe(because);
  });

  it('has panicked, and is not waited for', async () => {
    const script = andOn('echo "Kernel panic - not syncing: VFS"; echo "---[ end ]---"');
    const verdict = await notSaid(shell(script));
    expect(verdict.because).toBe('it says "Kernel panic - not syncing: VFS"');
    expect(verdict.lastLines.at(-1)).toBe('---[ end ]---');
  });
});

describe('somebody who gives up', () => {
  it('ends the machine, and that is no verdict', async () => {
    const child = shell(andOn('echo up'));
    const controller = new AbortController();
    child.stdout!.once('data', () => controller.abort());
    await expect(listen(child, { texts: ['login:'] }, controller.signal)).rejects.toThrow('abort');
    expect(isGone(child)).toBe(true);
  });

  it('need not have waited at all', async () => {
    const child = shell(andOn('echo up'));
    await expect(listen(child, { texts: ['up'] }, AbortSignal.abort())).rejects.toThrow('abort');
    expect(isGone(child)).toBe(true);
  });
});
