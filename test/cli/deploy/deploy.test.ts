// cairn deploy as a person sees it, on a machine that is a folder: its shell is a real one, its network and its firmware are not.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DeployHost, started } from '../../support/deploy-host.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { testProject, type TestProject } from '../cairn.ts';

const kernel = (image: string, release: string): object => ({
  kernel: image,
  [`usr/lib/modules/${release}/modules.builtin`]: `${release}\n`,
  [`usr/lib/modules/${release}/kernel/one.ko`]: `module of ${release}\n`,
  'dtbs/board.dtb': `board of ${release}`,
  'dtbs/other.dtb': 'not on that machine',
});

const flake = `
const one = write({ name: 'one', files: ${JSON.stringify(kernel('kernel one', '6.0-one'))} });
const two = write({ name: 'two', files: ${JSON.stringify(kernel('kernel two', '6.0-two'))} });
const panics = write({ name: 'panics', files: ${JSON.stringify(kernel('panics at once', '6.0-bad'))} });
const words = write({ name: 'words', files: { words: 'one' } });
export default flake({ one, two, panics, words });
`;

function projectFor(host: DeployHost): TestProject {
  return testProject(flake, { PATH: `${host.programs}:${process.env['PATH'] ?? ''}` });
}

/** Restarts the machine as soon as it is asked to. */
function keepsRestarting(host: DeployHost): void {
  const timer = setInterval(() => {
    if (host.restarts) host.restart();
  }, 50);
  onTestFinished(() => clearInterval(timer));
}

describe('cairn deploy', () => {
  it('says with --dry-run what it would send and do, and does nothing', async () => {
    const host = new DeployHost();
    host.write('boot/board.dtb', 'board of 6.0-one');
    const { status, stderr } = await projectFor(host).run(
      'deploy',
      'two@aarch64-linux',
      'pi@stone',
      '--dry-run',
      '--reboot',
    );
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('pi@stone: Linux 6.0-one (aarch64), started by UEFI\n');
    expect(stderr).toMatch(
      /send +dtbs\/board.dtb +16 B\n +send +kernel +10 B\n +send +2 module files of 6.0-two +26 B\n/,
    );
    expect(stderr).toMatch(/try +\/boot\/cairn\/[0-9a-f]{16}.efi once\n +restart\n/);
    expect(host.list('boot')).toEqual(['EFI', 'board.dtb']);
    expect(host.list('usr/lib/modules')).toEqual(['6.0-one']);
  });

  it('starts a kernel once, and keeps it when it has come up, with the former beside it', async () => {
    const host = new DeployHost();
    host.write('boot/board.dtb', 'board of 6.0-one');
    keepsRestarting(host);
    const project = projectFor(host);
    const { status, stdout, stderr } = await project.run(
      'deploy',
      'two@aarch64-linux',
      'pi@stone',
      '--reboot',
    );
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^two@aarch64-linux {2}runs on pi@stone, and starts from now on {2}sent 52 B in /);
    expect(host.next()).toEqual({ kernel: 'kernel two', entry: 1 });
    expect(host.read('boot/board.dtb')).toBe('board of 6.0-two');
    expect(host.list('boot/cairn')).toEqual(['previous']);
    expect(host.read('boot/cairn/previous/BOOTAA64.EFI')).toBe('kernel one');
    expect(host.read('boot/cairn/previous/board.dtb')).toBe('board of 6.0-one');
    expect(host.read('usr/lib/modules/6.0-two/kernel/one.ko')).toBe('module of 6.0-two\n');

    const back = await project.run('deploy', 'two@aarch64-linux', 'pi@stone', '--reboot');
    expect(back.stdout).toContain('sent 0 B');
    expect(host.restarts).toBe(false);
  });

  it('says that the former kernel runs when the new one has not come up', async () => {
    const host = new DeployHost();
    keepsRestarting(host);
    const { status, stderr } = await projectFor(host).run(
      'deploy',
      'panics@aarch64-linux',
      'pi@stone',
      '--reboot',
    );
    expect(status).toBe(1);
    expect(stderr).toContain(
      'error[KERNEL_NOT_UP] pi@stone is up again with the former kernel (Linux 6.0-one): panics@aarch64-linux has not come up',
    );
    expect(host.next()).toEqual({ kernel: 'kernel one', entry: 1 });
    expect(host.read('boot/cairn/previous/BOOTAA64.EFI')).toBeUndefined();
  });

  it('gives up waiting when the time is over', async () => {
    const host = new DeployHost();
    const words = ['deploy', 'two@aarch64-linux', 'pi@stone', '--reboot', '--timeout', '1'];
    const { status, stderr } = await projectFor(host).run(...words);
    expect(status).toBe(1);
    expect(stderr).toContain('error[KERNEL_NOT_UP] pi@stone has not come up within 1.0 s');
    expect(host.next().kernel).toBe('kernel two');
  });

  it('without --reboot has it tried with the next start, and the same command keeps it then', async () => {
    const host = new DeployHost();
    const project = projectFor(host);
    const first = await project.run('deploy', 'two@aarch64-linux', 'pi@stone');
    expect(first.stdout).toContain(
      'is tried by pi@stone with its next restart; the same command afterwards keeps it',
    );
    expect(host.next()).toMatchObject({ kernel: 'kernel two' });
    expect(host.restart()).toBe('kernel two');
    expect(host.next()).toEqual({ kernel: 'kernel one', entry: 1 });
    const second = await project.run('deploy', 'two@aarch64-linux', 'pi@stone');
    expect(second.stdout).toContain('runs on pi@stone, and starts from now on  sent 0 B');
    expect(host.next()).toEqual({ kernel: 'kernel two', entry: 1 });
  });

  it('takes a kernel that runs untried for no other one that was asked for meanwhile', async () => {
    const host = new DeployHost();
    const project = projectFor(host);
    await project.run('deploy', 'two@aarch64-linux', 'pi@stone');
    host.restart();
    await project.run('deploy', 'panics@aarch64-linux', 'pi@stone');
    // Still two that runs; what starts by itself is one.
    const again = await project.run('deploy', 'panics@aarch64-linux', 'pi@stone');
    expect(again.stdout).toContain('is tried by pi@stone with its next restart');
    expect(host.read(`boot/${started}`)).toBe('kernel one');
  });

  it('with --no-try puts it in place at once, on a Raspberry Pi, too', async () => {
    const host = new DeployHost({ way: 'raspberry-pi' });
    const project = projectFor(host);
    const refused = await project.run('deploy', 'two@aarch64-linux', 'pi@stone');
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('error[HOST_UNSUITABLE] pi@stone cannot be given two@aarch64-linux');
    expect(refused.stderr).toContain('--no-try');
    const { stdout, stderr } = await project.run('deploy', 'two@aarch64-linux', 'pi@stone', '--no-try');
    expect(stdout, stderr).toContain('starts on pi@stone from its next restart on');
    expect(host.restart()).toBe('kernel two');
    expect(host.read('boot/cairn/previous/BOOTAA64.EFI')).toBe('kernel one');
  });

  it('goes on where a connection was cut', async () => {
    const host = new DeployHost();
    const project = projectFor(host);
    host.cutAfter(4);
    const cut = await project.run('deploy', 'two@aarch64-linux', 'pi@stone');
    expect(cut.status).toBe(1);
    expect(cut.stderr).toContain('error[HOST_UNREACHABLE]');
    expect(host.next()).toEqual({ kernel: 'kernel one', entry: 1 });
    expect(host.list('boot/cairn').filter((name) => name.endsWith('.efi'))).toEqual([]);
    host.mend();
    expect((await project.run('deploy', 'two@aarch64-linux', 'pi@stone')).status).toBe(0);
    expect(host.next().kernel).toBe('kernel two');
  });

  it('keeps its connection where temporary files have a long path', async () => {
    const host = new DeployHost();
    const base = tempFolder('long');
    const folder = join(base, 'x'.repeat(Math.max(1, 70 - base.length)));
    mkdirSync(folder);
    const project = testProject(flake, {
      PATH: `${host.programs}:${process.env['PATH'] ?? ''}`,
      TMPDIR: folder,
    });
    const { status, stderr } = await project.run('deploy', 'two@aarch64-linux', 'pi@stone');
    expect(status, stderr).toBe(0);
  });

  it.each<readonly [string, string, string]>([
    [
      'nobody answers',
      "echo 'ssh: connect to host stone port 22: Connection refused' >&2; exit 255",
      'HOST_UNREACHABLE] ssh does not get through to pi@stone: ssh: connect to host stone port 22: Connection refused',
    ],
    [
      'nobody may be root',
      "echo 'sudo: a password is required' >&2; exit 1",
      'HOST_UNSUITABLE] nothing can be done on pi@stone as root: sudo: a password is required',
    ],
    [
      'it says what it should not',
      "printf 'cairn-deploy 1\\nrelease \\033[31m\\n'",
      'HOST_FAILED] pi@stone gives an answer that makes no sense',
    ],
    [
      'it says half',
      "printf 'cairn-deploy 1\\nrelease 6.0\\n'",
      'HOST_FAILED] pi@stone gives an answer that makes no sense: "not one \\"end\\""',
    ],
  ])('tells when %s', async (_, ssh, message) => {
    const host = new DeployHost();
    host.ssh(ssh);
    const { status, stderr } = await projectFor(host).run('deploy', 'two@aarch64-linux', 'pi@stone');
    expect(status).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('\u001b[31m');
  });

  it('refuses what is no kernel, and what is no host', async () => {
    const host = new DeployHost();
    const project = projectFor(host);
    const words = await project.run('deploy', 'words@aarch64-linux', 'pi@stone');
    expect(words.status).toBe(2);
    expect(words.stderr).toContain('words@aarch64-linux is not a kernel: it has no file "kernel"');
    const option = await project.run('deploy', 'two@aarch64-linux', '--', '-oProxyCommand=true');
    expect(option.status).toBe(2);
    expect(option.stderr).toContain('"-oProxyCommand=true" is not the name of a host');
  });
});
