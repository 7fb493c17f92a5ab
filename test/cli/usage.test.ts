// What the command line does with what people type, and with what goes wrong around it.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodeMeanings, exitCodes } from '../../cli/exit-codes.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { collect, mainFile, testProject } from './cairn.ts';

const commands = ['build', 'list', 'why', 'check', 'shell', 'ls', 'cat', 'path', 'log', 'diff', 'graph'];
const others = ['kernel', 'bisect', 'lock', 'audit', 'fetch', 'store', 'doctor', 'completion'];

describe('the command line', () => {
  it.each([...commands, ...others])('gives %s --help with an example', async (command) => {
    const { status, stdout } = await testProject().run(command, '--help');
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: cairn ${command}`);
    expect(stdout).toMatch(/Examples:\n {2}(source <\()?cairn /);
  });

  it('shows every command and every exit status in its own help', async () => {
    const { status, stdout } = await testProject().run('--help');
    expect(status).toBe(0);
    for (const command of [...commands, ...others])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    for (const code of Object.values(exitCodes)) expect(stdout).toMatch(new RegExp(`^ +${code} {2}\\S`, 'm'));
  });

  it('has the same exit statuses in the code, in the help and in the README', () => {
    const readme = readFileSync(join(packageRoot, 'cli/README.md'), 'utf8').replaceAll('`', '');
    for (const [code, meaning] of Object.entries(exitCodeMeanings))
      expect(readme).toContain(`| ${code} | ${meaning} |`);
    expect(Object.keys(exitCodeMeanings).map(Number)).toEqual(Object.values(exitCodes));
  });

  it('shows the same help for `help build` as for `build --help`', async () => {
    const project = testProject();
    const [one, other] = await Promise.all([project.run('help', 'build'), project.run('build', '--help')]);
    expect(one.stdout).toBe(other.stdout);
  });

  it('prints its version', async () => {
    expect((await testProject().run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['bulid'], 'Did you mean build?'],
    [['build', '--ofline', 'all'], 'Did you mean --offline?'],
    [['build', 'al'], 'Did you mean all?'],
    [['build', 'all@aarch64'], 'x86_64-linux, aarch64-linux'],
    [['build', '-j', '0', 'all'], 'whole number'],
    [['build'], 'words, tool, all'],
    [['diff', 'all'], "missing required argument 'b"],
    [['fetch', 'all'], "required option '--to <folder>'"],
    [['graph', '-f', 'png', 'all'], 'Allowed choices are dot, json, svg'],
    [['completion', 'csh'], 'Allowed choices are bash, zsh, fish'],
    [['audit', 'all'], 'is not an image'],
    [['audit'], 'no output of the flake is an image'],
    [['audit', '--level', 'high'], 'Allowed choices are update, security, cve'],
    [['all', 'build'], "unknown command 'all'"],
    [['help', 'bulid'], 'Did you mean build?'],
    [['bulid', '--help'], "unknown command 'bulid'"],
  ])('answers wrong usage %j with status 2 and %j', async (args, expected) => {
    const { status, stderr, stdout } = await testProject().run(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^error\[/);
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(/^ +at .*\.js/m);
  });

  it('shows its help and ends with status 2 when no command is given', async () => {
    const { status, stderr } = await testProject().run();
    expect(status).toBe(2);
    expect(stderr).toContain('Usage: cairn');
  });

  it('writes errors as objects with --json', async () => {
    const { status, stderr, records } = await testProject().run('build', 'lal', '--json');
    expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
    expect(records()).toEqual([expect.objectContaining({ type: 'error', code: 'TARGET_UNKNOWN' })]);
  });

  it('names the place of a mistake in the config', async () => {
    const project = testProject('export default flake({ x: write({ name: "bad name", files: {} }) });');
    const { status, stderr } = await project.run('build', 'x');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^ {2}at .*flake-like\.config\.ts:3:\d+$/m);
  });

  it('says where there is no project', async () => {
    const { status, stderr } = await testProject().startIn(tempFolder('empty'), 'list').ended;
    expect(status).toBe(2);
    expect(stderr).toContain('error[CONFIG_MISSING]');
  });

  it('refuses a store that is not one, and leaves it alone', async () => {
    const folder = tempFolder('not-a-store');
    writeFileSync(join(folder, 'letter.txt'), 'dear');
    const { status, stderr } = await testProject().run('build', 'all', '--store', folder);
    expect(status).toBe(1);
    expect(stderr).toContain('error[STORE_UNUSABLE]');
    expect(existsSync(join(folder, 'format'))).toBe(false);
  });

  it('prints what a config prints on standard error, without escape sequences', async () => {
    const project = testProject("console.log('\\u001b[31mhello\\u001b[0m'); export default flake({});");
    const { stderr } = await project.run('list');
    expect(stderr).toBe('hello\n');
  });

  it('ends quietly when the reader of its output goes away', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 2000 }, (_, at) => [`${'long-'.repeat(40)}${at}`, 'x']),
    );
    const project = testProject(
      `export default flake({ all: write({ name: 'many', files: ${JSON.stringify(files)} }) });`,
    );
    await project.run('build', 'all');
    const shell = spawn(
      'bash',
      ['-c', `"${process.execPath}" "${mainFile}" ls -l all | head -n 1; echo "$PIPESTATUS"`],
      {
        cwd: project.folder,
        env: project.env,
      },
    );
    const { stdout, stderr } = await collect(shell);
    expect(stderr).toBe('');
    // More than a pipe holds, so that it has to notice.
    expect(stdout.split('\n')[1]).toBe('141');
  });
});

describe('a folder named by mistake', () => {
  it('is an error, not a stack trace, when it cannot be written', async () => {
    const project = testProject();
    mkdirSync(join(project.folder, 'there'));
    writeFileSync(join(project.folder, 'there/file'), '');
    const { status, stderr } = await project.run('build', 'all', '-o', 'there/file/link');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/^error\[/m);
    expect(stderr).not.toContain('fault of cairn');
  });
});

it.each([[['build', 'all']], [['doctor']], [['lock']]])(
  'cairn %s in a folder that is gone is one error with a code',
  async (args) => {
    const project = testProject();
    const gone = mkdtempSync(join(project.folder, 'gone-'));
    const script = `cd "$1" && rmdir "$1" && shift && exec "$@"`;
    const child = spawn('sh', ['-c', script, 'sh', gone, process.execPath, mainFile, ...args], {
      env: project.env,
    });
    const { status, stderr } = await collect(child);
    expect(status).toBe(1);
    expect(stderr).toContain('error[PATH_NOT_FOUND] the folder that this command was started in is gone');
  },
);
