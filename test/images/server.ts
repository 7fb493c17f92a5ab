// What all images with cloud-init have to show: a machine that was told what to be by user-data, and somebody logged in
// to it. Each test of an image asks its own questions of it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { builtOutput } from '../support/own-flake.ts';
import { EmulatedMachine, type MachineOptions } from '../support/emulated-machine.ts';
import { SshClient } from './ssh.ts';

/** What user-data makes of the machine. */
export const wanted = {
  hostname: 'stone-17',
  user: 'mason',
  /** People with passwords that user-data has in plain text, in the two places that it may. */
  passwords: { apprentice: 'a long plain password', porter: 'another plain password' },
  file: { path: '/etc/cairn-test', text: 'written by cloud-init' },
  /** A file with a line for each time that runcmd ran. */
  runs: '/var/lib/cairn-test-runs',
  /** What runcmd says on the console. */
  said: 'runcmd was here',
} as const;

export class Server {
  readonly machine: EmulatedMachine;
  readonly #ssh: SshClient;
  readonly #folder: string;

  /** Builds the image and starts it with user-data. `groups` are the user's, `files` are written beside the usual one. */
  static async start({
    groups,
    files = {},
    ...options
  }: MachineOptions & {
    readonly groups: readonly string[];
    readonly files?: Readonly<Record<string, string>>;
  }): Promise<Server> {
    await builtOutput(options.image);
    await builtOutput('emulator');
    const ssh = await SshClient.open();
    const folder = mkdtempSync(join(tmpdir(), 'cairn-user-data-'));
    const file = join(folder, 'user-data');
    writeFileSync(file, userData(ssh.publicKey, groups, files));
    const machine = await EmulatedMachine.start({
      ...options,
      options: [...(options.options ?? []), '--user-data', file],
    });
    return new Server(machine, ssh, folder);
  }

  private constructor(machine: EmulatedMachine, ssh: SshClient, folder: string) {
    this.machine = machine;
    this.#ssh = ssh;
    this.#folder = folder;
  }

  /** What a command prints. @throws Error when it fails. */
  async run(
    command: string,
    options: { readonly input?: string; readonly minutes?: number } = {},
  ): Promise<string> {
    this.machine.requireAlive();
    const at = { user: wanted.user, port: this.machine.sshPort };
    const { status, stdout, stderr } = await this.#ssh.run(at, command, options);
    if (status === 0) return stdout.trim();
    throw this.machine.failure(`"${command}" over ssh ended with status ${status}: ${stdout}${stderr}`);
  }

  /** The command's lines. */
  async lines(command: string): Promise<string[]> {
    return (await this.run(command)).split('\n').filter((line) => line !== '');
  }

  /** Starts the machine again, and waits until it asks who is there. */
  async reboot(): Promise<void> {
    this.machine.forget();
    // The connection may be gone before the command has ended.
    await this.run('sudo systemd-run --on-active=1 --quiet systemctl reboot');
    await this.machine.startsAgain();
    await this.machine.waitFor(/ login: /);
  }

  async end(): Promise<void> {
    this.#ssh.close();
    rmSync(this.#folder, { recursive: true, force: true });
    await this.machine.end();
  }
}

function userData(
  publicKey: string,
  groups: readonly string[],
  files: Readonly<Record<string, string>>,
): string {
  const { hostname, user, passwords, file, runs, said } = wanted;
  const config = {
    hostname,
    users: [
      {
        name: user,
        groups,
        shell: '/bin/bash',
        sudo: ['ALL=(ALL) NOPASSWD:ALL'],
        ssh_authorized_keys: [publicKey],
      },
      { name: 'apprentice', lock_passwd: false, plain_text_passwd: passwords.apprentice },
      { name: 'porter', lock_passwd: false },
    ],
    chpasswd: { expire: false, users: [{ name: 'porter', password: passwords.porter, type: 'text' }] },
    write_files: [
      { path: file.path, content: `${file.text}\n`, permissions: '0640' },
      ...Object.entries(files).map(([path, content]) => ({ path, content })),
    ],
    runcmd: [['sh', '-c', `echo ran >>${runs}; echo ${said} >/dev/console`]],
  };
  // JSON is YAML.
  return `#cloud-config\n${JSON.stringify(config, undefined, 1)}\n`;
}
