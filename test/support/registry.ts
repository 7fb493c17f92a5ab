// Debian's docker-registry, a real container registry: started through its own loader, so that nothing is installed, with a folder for
// what it keeps, on a port of its own.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { unpackPackage, unpackPins, type PackagePin } from './debian-files.ts';
import { freePort } from './free-port.ts';

/** Of Debian bookworm; the C library is the seed's. */
const registry: PackagePin = {
  urls: ['mirror://debian/pool/main/d/docker-registry/docker-registry_2.8.2+ds1-1_amd64.deb'],
  sha256: 'a9bd06c0e006854608f8469b4371743f40604ad90975532bb3b7ceeb72fe2913',
};

/** The folder with the registry, still to be made; or why it cannot be had. */
export async function unpackRegistry(folder: string): Promise<string | undefined> {
  if (process.arch !== 'x64') return 'the registry is pinned for x86_64 only';
  try {
    await unpackPackage(registry, folder);
    await unpackPins('seed', ['libc6'], folder);
    return undefined;
  } catch (error) {
    return `no registry: ${(error as Error).message}`;
  }
}

export interface RegistryOptions {
  /** From {@link unpackRegistry}. */
  readonly program: string;
  /** For what it keeps. */
  readonly folder: string;
  /** The section `auth` of its configuration, in lines that are indented by two. */
  readonly auth?: string;
}

export class Registry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly #options: RegistryOptions;
  #child: ChildProcess;
  #ended: Promise<unknown>;

  private constructor(host: string, options: RegistryOptions) {
    [this.host, this.#options] = [host, options];
    this.#child = this.#spawn();
    this.#ended = once(this.#child, 'exit');
  }

  /** To be stopped. */
  static async start(options: RegistryOptions): Promise<Registry> {
    const port = await freePort();
    mkdirSync(options.folder, { recursive: true });
    const { folder, auth } = options;
    writeFileSync(
      join(folder, 'config.yml'),
      `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage:
  filesystem: { rootdirectory: ${join(folder, 'kept')} }
  maintenance: { uploadpurging: { enabled: false } }
http: { addr: '127.0.0.1:${port}', secret: one }
${auth === undefined ? '' : `auth:\n${auth}\n`}`,
    );
    const started = new Registry(`127.0.0.1:${port}`, options);
    await started.#answers();
    return started;
  }

  /** Takes away what no manifest refers to, while nobody writes; with `untagged`, manifests that have no tag as well. */
  async collectGarbage({ untagged = false } = {}): Promise<string> {
    await this.stop();
    const { status, stdout, stderr } = spawnSync(...this.#words('garbage-collect', untagged), {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`nothing was collected: ${stderr}`);
    this.#child = this.#spawn();
    this.#ended = once(this.#child, 'exit');
    await this.#answers();
    return stdout;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }

  #spawn(): ChildProcess {
    return spawn(...this.#words('serve'), { stdio: 'ignore' });
  }

  #words(verb: string, untagged = false): [program: string, args: string[]] {
    const { program, folder } = this.#options;
    const root = join(program, 'usr');
    return [
      join(root, 'lib64/ld-linux-x86-64.so.2'),
      [
        ...['--library-path', join(root, 'lib/x86_64-linux-gnu'), join(root, 'bin/docker-registry'), verb],
        ...(untagged ? ['--delete-untagged'] : []),
        join(folder, 'config.yml'),
      ],
    ];
  }

  async #answers(): Promise<void> {
    for (;;)
      try {
        await fetch(`http://${this.host}/v2/`);
        return;
      } catch (error) {
        if (this.#child.exitCode !== null)
          throw new Error(`the registry ended with status ${this.#child.exitCode}`, { cause: error });
        await pause(20);
      }
  }
}
