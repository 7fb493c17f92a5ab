// Completion: what can follow the words of an unfinished command line, and the scripts that ask for it.

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect, mainFile, testProject, type TestProject } from './cairn.ts';

async function completions(project: TestProject, ...words: readonly string[]): Promise<string[]> {
  const { stdout } = await project.run('__complete', '--', ...words);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0]!]));
}

describe('completion', () => {
  it.each<[string[], string[]]>([
    [['bu'], ['build']],
    [['sto'], ['store']],
    [
      ['store', 'r'],
      ['repair', 'roots'],
    ],
    [['build', '--kee'], ['--keep-going']],
    [['--js'], ['--json']],
    [['build', 'w'], ['words']],
    [
      ['build', 'words@'],
      ['words@x86_64-linux', 'words@aarch64-linux'],
    ],
    [['build', '-j', '2', 't'], ['tool']],
    [
      ['diff', 'all', ''],
      ['words', 'tool', 'all'],
    ],
    [
      ['graph', '-f', ''],
      ['dot', 'json', 'svg'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['build', '--out-link', ''], []],
    [['list', ''], []],
  ])('offers after %j: %j', async (words, expected) => {
    expect(await completions(testProject(), ...words)).toEqual(expected);
  });

  it('offers nothing, without a word, when the config cannot be evaluated', async () => {
    const { status, stdout, stderr } = await testProject('export default 1;').run(
      '__complete',
      '--',
      'build',
      '',
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('works in bash, where "@" ends a word', async () => {
    const project = testProject();
    const bin = join(project.folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'cairn'), `#!/bin/sh\nexec "${process.execPath}" "${mainFile}" "$@"\n`);
    chmodSync(join(bin, 'cairn'), 0o755);
    const script = `
      source <(cairn completion bash)
      try() { COMP_LINE=$1 COMP_POINT=\${#1}; _cairn; echo "\${COMPREPLY[*]}"; }
      try 'cairn buil'
      try 'cairn build '
      try 'cairn build all@x8'`;
    const env = { ...project.env, PATH: `${bin}:${project.env['PATH']!}` };
    const { stdout } = await collect(spawn('bash', ['-c', script], { cwd: project.folder, env }));
    expect(stdout).toBe('build\nwords tool all\nx86_64-linux\n');
  });

  it.each(['zsh', 'fish'])('has a script for %s that asks for candidates', async (shell) => {
    expect((await testProject().run('completion', shell)).stdout).toContain('__complete --');
  });
});
