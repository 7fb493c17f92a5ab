// Debian's nginx, a real web server in front of a folder: started through its own loader, so that nothing is installed, on a port
// of its own, as an ordinary user.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { unpackPackage, unpackPins, type PackagePin } from './debian-files.ts';
import { freePort } from './free-port.ts';

/** Of Debian trixie; its libraries are the seed's. */
const nginx: PackagePin = {
  urls: ['mirror://debian/pool/main/n/nginx/nginx_1.26.3-3+deb13u10_amd64.deb'],
  sha256: '222f1f296cb91a67323fdca0e37c4f34a7be78d14de043f15b2f76acdd8750a9',
};
const libraries = ['libc6', 'libcrypt1', 'libpcre2-8-0', 'libssl3t64', 'libzstd1', 'zlib1g'];

/** The folder with nginx and what it needs, still to be made; or why it cannot be had. */
export async function unpackNginx(folder: string): Promise<string | undefined> {
  if (process.arch !== 'x64') return 'nginx is pinned for x86_64 only';
  try {
    await unpackPackage(nginx, folder);
    await unpackPins('seed', libraries, folder);
    return undefined;
  } catch (error) {
    return `no nginx: ${(error as Error).message}`;
  }
}

export interface NginxOptions {
  /** From {@link unpackNginx}. */
  readonly program: string;
  /** For what it keeps while it runs: still to be made. */
  readonly folder: string;
  /** What stands between the braces of `server`, beside where it listens. */
  readonly server: string;
}

export class Nginx {
  readonly base: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(base: string, child: ChildProcess) {
    this.base = base;
    this.#child = child;
    this.#ended = once(child, 'exit');
  }

  /** To be stopped. */
  static async start({ program, folder, server }: NginxOptions): Promise<Nginx> {
    const port = await freePort();
    mkdirSync(folder);
    writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, server));
    const root = join(program, 'usr');
    const child = spawn(
      join(root, 'lib64/ld-linux-x86-64.so.2'),
      [
        ...['--library-path', join(root, 'lib/x86_64-linux-gnu')],
        ...[join(root, 'sbin/nginx'), '-p', folder, '-c', join(folder, 'nginx.conf')],
        ...['-e', join(folder, 'error.log')],
      ],
      { stdio: 'ignore' },
    );
    const started = new Nginx(`http://127.0.0.1:${port}`, child);
    while (!(await answers(port))) {
      if (child.exitCode !== null)
        throw new Error(`nginx ended with status ${child.exitCode}: see its error.log`);
      await pause(10);
    }
    return started;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

function configuration(folder: string, port: number, server: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${folder}/${what};`,
  );
  // As root it would give its worker to somebody who may not read the test's folder.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `daemon off; ${user} worker_processes 1; pid ${folder}/pid;
events { worker_connections 1024; }
http {
  access_log off; sendfile on; default_type application/octet-stream;
  ${temporary.join(' ')}
  server { listen 127.0.0.1:${port}; ${server} }
}
`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
