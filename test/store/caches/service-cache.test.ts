import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../../store/base/digest.ts';
import { UserError } from '../../../store/base/errors.ts';
import { removeTree } from '../../../store/base/remove-tree.ts';
import { openCache } from '../../../store/caches/index.ts';
import type { Cache, Push } from '../../../store/index.ts';
import { unpackBuildbox, type Buildbox } from '../../support/buildbox.ts';
import { CasServer } from '../../support/cas-server.ts';
import { Authority } from '../../support/certificates.ts';
import { frontBefore, type Front, type FrontOptions } from '../../support/grpc-front.ts';
import { skipWithout } from '../../support/needs.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-buildbox-'));
let buildbox: Buildbox | string;

beforeAll(async () => {
  buildbox = await unpackBuildbox(folder);
});
afterAll(() => removeTree(folder));
beforeEach((context) => skipWithout(context, typeof buildbox === 'string' ? buildbox : undefined));

const { signal } = new AbortController();
const patient = { firstMs: 30_000, idleMs: 30_000 };
const action = digestOf(Buffer.from('action'));

async function fronted(options: FrontOptions): Promise<Front> {
  const server = await CasServer.start(buildbox as Buildbox, tempFolder('cas'));
  onTestFinished(() => server.stop('SIGKILL'));
  return frontBefore({ path: server.socket }, options);
}

function onePush(): Push {
  const blob = Buffer.from('blob');
  const read = (): Promise<Uint8Array> => Promise.resolve(blob);
  return {
    outputs: [{ top: { kind: 'blob', digest: digestOf(blob), executable: false }, name: 'name' }],
    records: [{ subject: action, bytes: Buffer.from('record') }],
    from: {
      directory: () => undefined,
      read,
      stream: async function* () {
        yield await read();
      },
    },
  };
}

async function refusalOf(cache: Cache): Promise<UserError> {
  const error: unknown = await cache.push(onePush(), signal).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UserError);
  return error as UserError;
}

test('what the environment names is shown to the server: authorities, a certificate, and the token for its host', async () => {
  const authority = new Authority(tempFolder('authority'));
  const client = authority.issue('client');
  const token = 'the-secret-token';
  const { port } = await fronted({
    tls: { ...authority.issue('server'), clientAuthority: authority.cert },
    token,
  });
  const files = tempFolder('files');
  const env: Record<string, string> = {
    HOME: files,
    CAIRN_CACHE_TOKEN: `other=x 127.0.0.1:${port}=${token}`,
  };
  for (const [variable, text] of [
    ['CAIRN_CACHE_AUTHORITIES', authority.cert],
    ['CAIRN_CACHE_CERTIFICATE', client.cert],
    ['CAIRN_CACHE_KEY', client.key],
  ] as const) {
    env[variable] = join(files, variable);
    writeFileSync(env[variable], text);
  }
  const cache = openCache(`grpcs://127.0.0.1:${port}`, { env, patience: patient });
  expect(await cache.push(onePush(), signal)).toMatchObject({ contents: 1, records: 1 });
  const [record] = await cache.records(new Set([action]), signal);
  expect(Buffer.from(record!).toString()).toBe('record');
});

test('a token is not shown to another host, and a refusal names the cache and no secret', async () => {
  const { port } = await fronted({ token: 'another' });
  const env = {
    HOME: tempFolder('home'),
    CAIRN_CACHE_TOKEN: `cache.example=hidden 127.0.0.1:${port}=hunter2`,
  };
  const cache = openCache(`grpc://127.0.0.1:${port}`, { env, patience: patient });
  const { code, message, hint } = await refusalOf(cache);
  expect(code).toBe('CACHE_FAILED');
  expect(message).toContain(`grpc://127.0.0.1:${port}`);
  expect(`${message} ${hint}`).not.toMatch(/hunter2|hidden/);
});

test('who does not say soon what it is, is not waited for', async () => {
  const { port } = await fronted({ meddle: () => ({ isSilent: true }) });
  const cache = openCache(`grpc://127.0.0.1:${port}`, { env: { HOME: '/' }, patience: { firstMs: 50 } });
  await expect(cache.records(new Set([action]), signal)).rejects.toThrow('nothing came or went for 0.05 s');
});

test('a file of the environment that cannot be read is named', async () => {
  const env = { HOME: '/', CAIRN_CACHE_AUTHORITIES: '/nonexistent/authorities.pem' };
  const cache = openCache('grpcs://127.0.0.1:1', { env, patience: patient });
  expect((await refusalOf(cache)).message).toContain('/nonexistent/authorities.pem');
});

test.each(['grpc://user:hunter2@cache/', 'grpcs://cache/?token=hunter2', 'grpc+unix://host/socket'])(
  '%s is no cache',
  async (url) => {
    const opening = (async () => openCache(url, { env: {} }).push(onePush(), signal))();
    const error: unknown = await opening.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(`${(error as UserError).message} ${(error as UserError).hint}`).not.toContain('hunter2');
  },
);
