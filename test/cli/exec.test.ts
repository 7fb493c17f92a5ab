// `cairn exec`: programs of outputs in the sandbox, with what they need there and nothing else.

import { describe, expect, it } from 'vitest';
import { busyboxFlake, cairnProject, type CairnProject, type Ran } from '../support/cairn-project.ts';
import { testProject } from './cairn.ts';

const motd = `write({ name: 'motd', files: { 'etc/motd': 'Welcome.\\n' } })`;
const outputs = `{
  made: command('made', 'mkdir $out/share; echo made >$out/share/it'),
  motd: ${motd},
  'motd-root': compose({ name: 'whole', parts: [shell, ${motd}] }),
}`;

const project = (): CairnProject => cairnProject(busyboxFlake(outputs));
const exec = (of: CairnProject, ...args: readonly string[]): Promise<Ran> => of.run(['exec', ...args]);

describe('cairn exec', () => {
  it('builds an output and runs a program among what the command saw that made it, with its status', async () => {
    const of = project();
    expect(await exec(of, 'made', '--', 'cat', '/result/share/it')).toMatchObject({
      status: 0,
      stdout: 'made\n',
    });
    expect(await exec(of, 'made', '--', 'bin/sh', '-c', 'echo "$@"; exit 7', 'it', '--x')).toMatchObject({
      status: 1,
      stdout: '--x\n',
    });
  });

  it('runs it in the output with its libraries where the flake has one, and nothing of this machine is there', async () => {
    const of = project();
    const seen = await exec(
      of,
      'motd',
      '--',
      'sh',
      '-c',
      'cat /etc/motd; ls /etc /home 2>&1; echo kept >/etc/motd',
    );
    expect(seen.stdout).toBe('Welcome.\nls: /home: No such file or directory\n/etc:\nmotd\n');
    expect((await exec(of, 'motd', '--', 'cat', '/etc/motd')).stdout).toBe('Welcome.\n');
  });

  it('says what it looked for when there is no such program', async () => {
    const { status, stderr } = await exec(project(), 'motd', '--', 'gerrt');
    expect(status).toBe(1);
    expect(stderr).toContain('error[PATH_NOT_FOUND] motd-root@x86_64-linux has no program "gerrt"');
    expect(stderr).toContain('cairn ls -R motd-root@x86_64-linux');
  });

  it('refuses what is made for other machines, before anything is built', async () => {
    const { status, stderr } = await testProject().run('exec', 'tool@aarch64-linux', '--', 'tool');
    expect(status).toBe(1);
    expect(stderr).toContain('programs of tool@aarch64-linux do not run on x86_64-linux');
    expect(stderr).toContain('cairn exec tool@x86_64-linux');
  });
});
