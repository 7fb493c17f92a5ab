// Moto, a server that speaks S3 and looks at signatures: Debian's, with its Python, started through their own loader, so that
// nothing is installed. It keeps everything in memory.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { readLock } from '../../engine/lock/index.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { sendRequest } from '../../store/base/http/send-request.ts';
import { s3Manner } from '../../store/caches/s3-manner.ts';
import { unpackPackage } from './debian-files.ts';
import { freePort } from './free-port.ts';

const lockFile = join(packageRoot, 'test/support/s3-server/flake-like.lock');

/** The folder with the server and what it needs, still to be made; or why it cannot be had. */
export async function unpackS3Server(folder: string): Promise<string | undefined> {
  if (process.arch !== 'x64') return 'the S3 server is pinned for x86_64 only';
  try {
    for (const pin of readLock(lockFile).inputs['moto']!.pins) await unpackPackage(pin, folder);
    return undefined;
  } catch (error) {
    return `no S3 server: ${(error as Error).message}`;
  }
}

/** Requests that it takes from anybody: those that make somebody whom it knows. */
const unsigned = 3;
const region = 'us-east-1';

export class S3Server {
  readonly endpoint: string;
  /** Of somebody who may do everything, as the environment says it. */
  readonly env: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(endpoint: string, env: Readonly<Record<string, string>>, child: ChildProcess) {
    [this.endpoint, this.env, this.#child] = [endpoint, env, child];
    this.#ended = once(child, 'exit');
  }

  /** To be stopped. `folder` is from {@link unpackS3Server}. */
  static async start(folder: string): Promise<S3Server> {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const child = spawnServer(join(folder, 'usr'), port);
    await accepts(endpoint, child);
    await ask(endpoint, { Action: 'CreateUser', UserName: 'ci' });
    const everything = { Effect: 'Allow', Action: '*', Resource: '*' };
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [everything] });
    await ask(endpoint, {
      Action: 'PutUserPolicy',
      ...{ UserName: 'ci', PolicyName: 'all', PolicyDocument: policy },
    });
    const made = await ask(endpoint, { Action: 'CreateAccessKey', UserName: 'ci' });
    const value = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(made)![1]!;
    const env = {
      AWS_ACCESS_KEY_ID: value('AccessKeyId'),
      AWS_SECRET_ACCESS_KEY: value('SecretAccessKey'),
    };
    return new S3Server(endpoint, env, child);
  }

  /** What `openCache` takes for a fresh bucket of this name. */
  async bucket(name: string): Promise<string> {
    const login = {
      accessKeyId: this.env['AWS_ACCESS_KEY_ID']!,
      secretAccessKey: this.env['AWS_SECRET_ACCESS_KEY']!,
    };
    const url = `${this.endpoint}/${name}`;
    const manner = s3Manner(region, () => Promise.resolve(login));
    const { status, body } = await sendRequest(url, {
      method: 'PUT',
      headers: await manner.signed({ method: 'PUT', url, headers: {} }),
      body: { sizeBytes: 0, chunks: [] },
      signal: AbortSignal.timeout(30_000),
    });
    const said = await text(body);
    if (status !== 200) throw new Error(`no bucket was made: ${status} ${said}`);
    return `s3://${name}/team?endpoint=${this.endpoint}`;
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

function spawnServer(root: string, port: number): ChildProcess {
  return spawn(
    join(root, 'lib64/ld-linux-x86-64.so.2'),
    [
      ...['--library-path', join(root, 'lib/x86_64-linux-gnu'), join(root, 'bin/python3.13'), '-c'],
      'import sys; from moto.server import main; main(sys.argv[1:])',
      ...['-H', '127.0.0.1', '-p', String(port)],
    ],
    {
      stdio: 'ignore',
      env: {
        PYTHONHOME: root,
        PYTHONPATH: join(root, 'lib/python3/dist-packages'),
        PYTHONDONTWRITEBYTECODE: '1',
        INITIAL_NO_AUTH_ACTION_COUNT: String(unsigned),
      },
    },
  );
}

async function accepts(endpoint: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null)
    try {
      await fetch(`${endpoint}/moto-api/data.json`);
      return;
    } catch {
      await pause(50);
    }
  throw new Error(`the S3 server ended with status ${child.exitCode}`);
}

// Which service is meant it takes from the signature, which it does not look at yet.
async function ask(endpoint: string, what: Readonly<Record<string, string>>): Promise<string> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=nobody/20260101/${region}/iam/aws4_request, SignedHeaders=host, Signature=none`,
    },
    body: new URLSearchParams({ Version: '2010-05-08', ...what }),
  });
  const said = await response.text();
  if (!response.ok) throw new Error(`${what['Action']}: ${response.status} ${said}`);
  return said;
}
