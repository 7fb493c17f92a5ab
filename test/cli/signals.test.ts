// Signals: what was under way is put in order, the status says which one came, and nothing can keep them from ending it.

import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { processesWith } from '../support/processes.ts';
import { serve } from '../support/web-server.ts';
import { programPart, testProject, type Running, type TestProject } from './cairn.ts';

const signals = [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

interface Stalled {
  readonly url: string;
  /** Somebody waits for the rest of the file. */
  readonly asked: Promise<void>;
  /** Whether the server sends all of it from now on. */
  readonly answerWhole: (whole: boolean) => void;
}

/** A server that sends the start of a file and no more. */
async function stalled(): Promise<Stalled> {
  let tell = (): void => undefined;
  let isWhole = false;
  const asked = new Promise<void>((resolve) => (tell = resolve));
  const { base } = await serve((_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    if (isWhole) response.end(content);
    else {
      response.write(content.subarray(0, 100));
      tell();
    }
  });
  return { url: `${base}/file`, asked, answerWhole: (whole) => (isWhole = whole) };
}

const content = Buffer.alloc(1000, 'content');

const fetchedFlake = (url: string): string => `
const file = fetchUrl({ name: 'file', urls: ['${url}'], sha256: '${createHash('sha256').update(content).digest('hex')}' });
const made = compose({ name: 'made', parts: [{ input: file, at: 'file' }] });
export default flake({ made, other: write({ name: 'other', files: { file: 'other' } }) });`;

function loseContent(project: TestProject): void {
  rmSync(join(project.env['CAIRN_STORE']!, 'blobs'), { recursive: true });
}

const slowFlake = (url: string): string => `
const slow = fetchUrl({ name: 'slow', urls: ['${url}'], sha256: '${'0'.repeat(64)}' });
export default flake({ slow, quick: write({ name: 'quick', files: { a: 'a' } }) });`;

describe.each(signals)('%s', (signal, expected) => {
  it.each([
    ['for people', []],
    ['for machines', ['--json']],
  ])(`ends a build with status ${expected}, in order, %s`, async (_, further) => {
    const { url, asked } = await stalled();
    const project = testProject(slowFlake(url));
    const { process: child, ended } = project.start('build', 'slow', ...further);
    await asked;
    child.kill(signal);
    const { status, stdout, stderr, records } = await ended;
    expect(status).toBe(expected);
    if (further.length === 0) {
      expect(stderr).toContain('interrupted');
      expect(stdout + stderr).not.toContain('error[');
    } else {
      expect(records().at(-1)).toMatchObject({ type: 'error', code: 'INTERRUPTED', status: expected });
      expect(stderr).toBe('');
    }
    expect(readdirSync(join(project.env['CAIRN_STORE']!, 'tmp'))).toEqual([]);
    expect((await project.run('build', 'quick')).status).toBe(0);
  });

  it.each([
    ['cat', 'made/file'],
    ['diff', 'made', 'other'],
    ['path', 'made'],
    ['build', 'made'],
    ['image', 'size', 'made'],
  ])(`ends cairn %s %s with status ${expected} while it makes lost content again`, async (...command) => {
    const { url, asked, answerWhole } = await stalled();
    const project = testProject(fetchedFlake(url));
    answerWhole(true);
    expect((await project.run('build', 'made', 'other')).status).toBe(0);
    answerWhole(false);
    loseContent(project);
    const { process: child, ended } = project.start(...command);
    await asked;
    child.kill(signal);
    const { status, stdout, stderr } = await ended;
    expect(stdout + stderr).not.toContain('error[');
    expect(stderr).toContain('interrupted');
    expect(status).toBe(expected);
  });

  it.each([
    ['in the file', `for (;;);`],
    [
      'in outputs',
      `export default defineFlake({ description: 'x', inputs: {}, outputs: () => { for (;;); } });`,
    ],
    ['that catches', `for (;;) { try { for (;;); } catch {} }`],
    ['in a pattern', `/^(a+)+$/.test('a'.repeat(60) + 'b');`],
  ])('ends a config that loops %s', async (_, loop) => {
    const project = testProject(`console.log('looping'); ${loop}`);
    // `lock` calls no outputs.
    const commands = [
      ['build', 'all'],
      ['doctor', '--offline'],
      ...(loop.includes('outputs') ? [] : [['lock']]),
    ];
    for (const command of commands) {
      const running = project.start(...command);
      await said(running, 'looping');
      running.process.kill(signal);
      const { stderr, stdout } = await running.ended;
      expect(statusOf(running)).toBe(expected);
      expect(stdout + stderr).not.toMatch(/fault of cairn|error\[|FAIL/i);
    }
    // Whatever it left behind is in nobody's way.
    project.config(`export default flake({ quick: write({ name: 'quick', files: { a: 'a' } }) });`);
    expect((await project.run('build', 'quick')).status).toBe(0);
    expect(processesWith(project.folder)).toEqual([]);
  });
});

/** As a shell sees it: a process that a signal ended has that signal's number and 128. */
function statusOf({ process: { exitCode, signalCode } }: Running): number | null {
  return signalCode === null ? exitCode : 128 + constants.signals[signalCode];
}

function said({ process: child }: Running, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stderr!.on('data', (chunk: string) => {
      if (chunk.includes(text)) resolve();
    });
    child.on('close', () => reject(new Error(`it ended before it said ${text}`)));
  });
}

describe('a bug', () => {
  // Signals are what a test can send at a moment of its choice.
  const onSignal = (signal: string): NodeJS.ProcessEnv =>
    programPart(`process.on('${signal}', () => queueMicrotask(() => { throw new TypeError('of a bug'); }));`);

  it.each([
    ['is one: status 70', 'SIGUSR2'],
    ['stays one after a signal that ends cairn', 'SIGTERM'],
  ] as const)('%s', async (_, signal) => {
    const { url, asked } = await stalled();
    const { process: child, ended } = testProject(slowFlake(url), onSignal(signal)).start('build', 'slow');
    await asked;
    child.kill(signal);
    const { status, stderr } = await ended;
    expect(status).toBe(70);
    expect(stderr).toContain('of a bug');
    expect(stderr).not.toContain('interrupted');
  });

  it('tells machines the same status', async () => {
    const { url, asked } = await stalled();
    const project = testProject(slowFlake(url), onSignal('SIGTERM'));
    const { process: child, ended } = project.start('build', 'slow', '--json');
    await asked;
    child.kill('SIGTERM');
    const { status, records } = await ended;
    expect(status).toBe(70);
    expect(records().filter(({ type }) => type === 'error')).toMatchObject([{ status: 70 }]);
  });
});
