// The built command line on a real pseudo-terminal (script(1) of util-linux).

import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { serve } from '../support/web-server.ts';
import { collect, mainFile, testProject, type TestProject } from './cairn.ts';

interface OnTerminal {
  readonly status: number | null;
  readonly screen: string;
}

async function onTerminal(
  project: TestProject,
  command: string,
  env: NodeJS.ProcessEnv = {},
): Promise<OnTerminal> {
  const line = `stty cols 60 rows 20; "${process.execPath}" "${mainFile}" ${command}`;
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    cwd: project.folder,
    env: { ...project.env, SHELL: '/bin/sh', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { status, stdout } = await collect(child);
  return { status, screen: stdout };
}

/** A flake whose download takes long enough to be seen, and is not what it should be. */
async function slowProject(): Promise<TestProject> {
  const { base } = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half of it');
    setTimeout(() => response.end('x'.repeat(90)), 700);
  });
  const slow = `fetchUrl({ name: 'slow', urls: ['${base}/slow'], sha256: '${'0'.repeat(64)}' })`;
  return testProject(`export default flake({ slow: ${slow} });`);
}

describe('on a terminal', () => {
  it('the view is drawn, and the cursor comes back when the build has failed', async () => {
    const { status, screen } = await onTerminal(await slowProject(), 'build slow');
    expect(status).toBe(1);
    expect(screen).toContain('0/1');
    expect(screen).toContain('fetch slow');
    expect(screen.lastIndexOf('\u001b[?25h')).toBeGreaterThan(screen.lastIndexOf('\u001b[?25l'));
    expect(screen).toContain('FETCH_HASH_MISMATCH');
    expect(screen.slice(screen.lastIndexOf('\u001b[?25h'))).toContain('next:');
  });

  it('colours are used, and not with NO_COLOR', async () => {
    const project = testProject();
    expect((await onTerminal(project, 'build all')).screen).toContain('\u001b[32mbuilt');
    expect((await onTerminal(project, 'list', { NO_COLOR: '1' })).screen).not.toContain('\u001b[');
  });
});
