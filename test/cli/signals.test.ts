// Signals: what was under way is put in order, the status says which one came, and nothing can keep them from ending it.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { processesWith } from '../support/processes.ts';
import { serve } from '../support/web-server.ts';
import { testProject, type Running } from './cairn.ts';

const signals = [
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

/** A server that sends the start of a file and no more, and a promise of its having been asked. */
async function stalled(): Promise<{ url: string; asked: Promise<void> }> {
  let tell = (): void => undefined;
  const asked = new Promise<void>((resolve) => (tell = resolve));
  const { base } = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('the start of it');
    tell();
  });
  return { url: `${base}/file`, asked };
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
    const { status, stdout, stderr } = await ended;
    expect(status).toBe(expected);
    expect(stderr).toContain('interrupted');
    expect(stdout + stderr).not.toContain('error[');
    expect(readdirSync(join(project.env['CAIRN_STORE']!, 'tmp'))).toEqual([]);
    expect((await project.run('build', 'quick')).status).toBe(0);
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
