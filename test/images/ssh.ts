// Logging in to an emulated machine with OpenSSH's own client, pinned and built by cairn like everything else.

import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect, type Ended } from '../cli/cairn.ts';
import { builtOutput, imageTestsConfig } from '../support/own-flake.ts';

/** The ssh programs and a key pair of their own; for one machine, whose host key may not change. */
export class SshClient {
  readonly publicKey: string;
  readonly #tree: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'cairn-ssh-'));

  static async open(): Promise<SshClient> {
    return new SshClient(await builtOutput('ssh-client', imageTestsConfig));
  }

  private constructor(tree: string) {
    this.#tree = tree;
    const [program, ...words] = this.#command('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test']);
    const made = spawnSync(program!, [...words, '-f', this.keyFile], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(`ssh-keygen: ${made.stderr}`);
    this.publicKey = readFileSync(`${this.keyFile}.pub`, 'utf8').trim();
  }

  /**
   * Runs a command in a shell of the machine. While there is no connection it tries again: a machine that starts has
   * none for a while.
   */
  async run(
    { user, port }: { readonly user: string; readonly port: number },
    command: string,
    { input, minutes = 10 }: { readonly input?: string; readonly minutes?: number } = {},
  ): Promise<Ended> {
    const lastMs = performance.now() + minutes * 60_000;
    const at = ['-p', String(port), `${user}@127.0.0.1`];
    for (;;) {
      const ended = await this.#once([...this.#options(), ...at, '--', command], { input, lastMs });
      if (ended.status !== noConnection || performance.now() > lastMs) return ended;
      await sleep(5000);
    }
  }

  /** The file with its private key. */
  get keyFile(): string {
    return join(this.#folder, 'key');
  }

  /** A folder to be first in PATH: its `ssh` is this client, with what it knows of hosts. Whom it logs in as is for its caller to say. */
  programs(): string {
    const folder = join(this.#folder, 'programs');
    mkdirSync(folder, { recursive: true });
    const words = this.#command('ssh', this.#knownHosts()).map((word) => `'${word}'`);
    writeFileSync(join(folder, 'ssh'), `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
    return folder;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #once(words: readonly string[], { input, lastMs }: { input: string | undefined; lastMs: number }) {
    const [program, ...rest] = this.#command('ssh', words);
    const child = spawn(program!, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), Math.max(0, lastMs - performance.now()));
    // A command may end without having read all of it.
    child.stdin.on('error', () => undefined);
    if (input === undefined) child.stdin.end();
    else createReadStream(input).pipe(child.stdin);
    return collect(child).finally(() => clearTimeout(timer));
  }

  #options(): readonly string[] {
    const patience = { BatchMode: 'yes', ConnectTimeout: '120', ServerAliveInterval: '60' };
    return [...this.#knownHosts(), '-i', this.keyFile, ...settings(patience)];
  }

  #knownHosts(): readonly string[] {
    return [
      ...['-F', 'none'],
      ...settings({
        IdentitiesOnly: 'yes',
        // The first host key is believed, another one later is not.
        StrictHostKeyChecking: 'accept-new',
        UserKnownHostsFile: join(this.#folder, 'known_hosts'),
        LogLevel: 'ERROR',
      }),
    ];
  }

  // Through the tree's own loader: nothing of it has to be installed here.
  #command(program: string, words: readonly string[]): readonly string[] {
    const loader = join(this.#tree, 'usr/lib64/ld-linux-x86-64.so.2');
    const libraries = join(this.#tree, 'usr/lib/x86_64-linux-gnu');
    return [loader, '--library-path', libraries, join(this.#tree, 'usr/bin', program), ...words];
  }
}

function settings(values: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** How the client ends when it could not connect or log in. */
const noConnection = 255;
