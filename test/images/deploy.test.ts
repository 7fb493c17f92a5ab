// A kernel onto a machine that runs: real kernels, UEFI that starts them, and an ssh connection, which is cut once. The tests
// are one deployment's life, in this order.

import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ran } from '../support/cairn-project.ts';
import { cutAfter } from '../support/cut-connection.ts';
import { EmulatedMachine } from '../support/emulated-machine.ts';
import type { ParsedRecord } from '../support/json-records.ts';
import { builtOutput, imageTestsConfig, runOwnCairn } from '../support/own-flake.ts';
import { second } from './deployable-image.ts';
import { SshClient } from './ssh.ts';

const prompt = /root@smallest:~# /;
const host = 'root@127.0.0.1';
const started = '/boot/EFI/BOOT/BOOTAA64.EFI';

describe('cairn deploy, onto a machine that UEFI has started', () => {
  let machine: EmulatedMachine;
  let ssh: SshClient;
  const folders: Record<string, string> = {};
  let firstRelease: string;
  let secondRelease: string;

  beforeAll(async () => {
    await builtOutput('deployable', imageTestsConfig);
    for (const name of ['first', 'second'])
      folders[name] = await builtOutput(`deployable-${name}`, imageTestsConfig);
    ssh = await SshClient.open();
    machine = await EmulatedMachine.start({
      image: 'deployable',
      options: ['--config', imageTestsConfig],
    });
    await machine.openShell(prompt);
    machine.report('shell');
    const key = `mkdir -m 700 .ssh && echo '${ssh.publicKey}' >.ssh/authorized_keys && uname -r`;
    const { status, output } = await machine.shell(key);
    expect(status).toBe(0);
    firstRelease = output;
    secondRelease = `${firstRelease}${second.release}`;
  });
  afterAll(async () => {
    ssh.close();
    await machine.end();
  });

  const deploy = (name: string, { port = machine.sshPort, more = [] as string[] } = {}): Promise<Ran> =>
    runOwnCairn(
      [
        ...['deploy', `deployable-${name}`, host, '--port', String(port), '--identity', ssh.keyFile],
        ...['--config', imageTestsConfig, '--json', ...more],
      ],
      { PATH: `${ssh.programs()}:${process.env['PATH'] ?? ''}` },
    );

  /** What a command says there, over a connection of its own. */
  const say = async (command: string): Promise<string> => {
    const ran = await ssh.run({ user: 'root', port: machine.sshPort }, command);
    if (ran.status === 0) return ran.stdout.trim();
    throw machine.failure(`"${command}" over ssh ended with status ${ran.status}: ${ran.stderr}`);
  };

  /** Starts it again, as somebody who is logged in would. */
  const restart = async (): Promise<void> => {
    machine.forget();
    await say('(sleep 1; exec /usr/sbin/reboot) >/dev/null 2>&1 &');
    await machine.startsAgain();
  };

  const planOf = (ran: Ran): ParsedRecord => ran.events.find(({ type }) => type === 'deploy-plan')!;
  const planned = (ran: Ran): unknown[] => (planOf(ran)['steps'] as ParsedRecord[]).map(({ step }) => step);
  const done = (ran: Ran): unknown[] =>
    ran.events.filter(({ type }) => type === 'deploy-step').map(({ step }) => step);
  const imageOf = (name: string): string => join(folders[name]!, 'kernel');
  const startedImage = (): Promise<string> => say(`sha256sum <${started}`);
  const digestOf = (file: string): string =>
    `${createHash('sha256').update(readFileSync(file)).digest('hex')}  -`;

  it('leaves a machine that starts its former kernel when the connection is cut while the new one is sent', async () => {
    const bytes = sizeOf(imageOf('second')) / 2;
    const { port } = await cutAfter(bytes, machine.sshPort);
    const ran = await deploy('second', { port, more: ['--reboot'] });
    expect(ran.status).toBe(1);
    expect(ran.events.at(-1)).toMatchObject({ type: 'error', code: 'HOST_UNREACHABLE' });
    expect(planned(ran)).toEqual(['clear', 'stage', 'modules', 'try', 'restart']);
    expect(planOf(ran)).toMatchObject({
      release: firstRelease,
      way: 'uefi',
      sentBytes: sizeOf(imageOf('second')) + sizeOf(join(folders['second']!, 'usr')),
    });
    expect(done(ran)).toEqual(['clear']);
    await restart();
    expect(await say('uname -r')).toBe(firstRelease);
    expect(await startedImage()).toBe(digestOf(imageOf('first')));
  });

  it('says with its status that the new kernel has panicked, and that the former one runs again', async () => {
    machine.forget();
    const ran = await deploy('second', { more: ['--reboot'] });
    machine.report('a kernel that panics');
    expect(ran.status, ran.stdout).toBe(1);
    expect(ran.events.at(-1)).toMatchObject({
      type: 'error',
      code: 'KERNEL_NOT_UP',
      message: `${host} is up again with the former kernel (Linux ${firstRelease}): deployable-second@aarch64-linux has not come up`,
    });
    expect(machine.said).toContain(`Linux version ${secondRelease} `);
    expect(machine.said).toContain(`Kernel panic - not syncing: Requested init ${second.init} failed`);
    expect(await say('uname -r')).toBe(firstRelease);
    await restart();
    expect(await say('uname -r')).toBe(firstRelease);
  });

  it('has sent what differs for that, and nothing when it is tried again', async () => {
    const ran = await deploy('second', { more: ['--dry-run'] });
    expect(planned(ran)).toEqual(['clear', 'try']);
    expect(planOf(ran)['sentBytes']).toBe(0);
  });

  it('keeps a kernel that comes up, and the former one beside it', async () => {
    await say(`cp /usr/sbin/init ${second.init} && sync`);
    const ran = await deploy('second', { more: ['--reboot'] });
    machine.report('the second kernel');
    expect(ran.status, ran.stdout).toBe(0);
    expect(ran.events.at(-1)).toMatchObject({ type: 'deployed', outcome: 'running', sentBytes: 0 });
    expect(await say('uname -r')).toBe(secondRelease);
    expect(await startedImage()).toBe(digestOf(imageOf('second')));
    expect(await say('ls /boot/cairn; sha256sum </boot/cairn/previous/BOOTAA64.EFI')).toBe(
      `previous\n${digestOf(imageOf('first'))}`,
    );
    await restart();
    expect(await say('uname -r')).toBe(secondRelease);
  });

  it('has nothing to do when it is asked for the same again', async () => {
    const ran = await deploy('second', { more: ['--reboot'] });
    expect(ran.status, ran.stdout).toBe(0);
    expect(planOf(ran)).toMatchObject({ sentBytes: 0, steps: [] });
  });

  it('sends nothing to go back to what was before, at once when that is asked for', async () => {
    const ran = await deploy('first', { more: ['--no-try', '--reboot'] });
    machine.report('the first kernel again');
    expect(ran.status, ran.stdout).toBe(0);
    expect(planOf(ran)['sentBytes']).toBe(0);
    expect(done(ran)).not.toContain('try');
    expect(await say('uname -r')).toBe(firstRelease);
    expect(await startedImage()).toBe(digestOf(imageOf('first')));
  });
});

/** Of a file, or of all files of a folder. */
function sizeOf(path: string): number {
  if (statSync(path).isFile()) return statSync(path).size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
