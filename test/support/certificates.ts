// An authority for one test, and certificates of it.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export class Authority {
  readonly #folder: string;
  readonly #own: Certificate;

  constructor(folder: string) {
    this.#folder = folder;
    this.#run(
      'req',
      '-x509',
      ...newKey('authority'),
      '-out',
      'authority.cert',
      '-subj',
      '/CN=test authority',
      '-days',
      '2',
    );
    this.#own = this.#read('authority');
  }

  /** Its own certificate. */
  get cert(): string {
    return this.#own.cert;
  }

  /** For a server on this machine, or a client. */
  issue(name: string, days = 2): Certificate {
    this.#run('req', ...newKey(name), '-out', `${name}.request`, '-subj', `/CN=${name}`);
    writeFileSync(join(this.#folder, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    const by = ['-CA', 'authority.cert', '-CAkey', 'authority.key', '-CAcreateserial', '-extfile', 'names'];
    this.#run('x509', '-req', '-in', `${name}.request`, ...by, '-days', `${days}`, '-out', `${name}.cert`);
    return this.#read(name);
  }

  #read(name: string): Certificate {
    const [key, cert] = [`${name}.key`, `${name}.cert`].map((file) =>
      readFileSync(join(this.#folder, file), 'utf8'),
    );
    return { key: key!, cert: cert! };
  }

  #run(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'pipe' });
  }
}

function newKey(name: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`];
}
