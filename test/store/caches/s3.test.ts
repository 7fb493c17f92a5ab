// A cache in a bucket: who is let in, what is said when nobody is, and what a bucket lists. Its promises as a cache are those of
// every kind (test/contracts/caches.test.ts).

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { removeTree } from '../../../store/base/remove-tree.ts';
import { openCache } from '../../../store/caches/index.ts';
import { s3Login } from '../../../store/caches/s3-login.ts';
import { parseS3Url, S3Shelf } from '../../../store/caches/s3-shelf.ts';
import { skipWithout } from '../../support/needs.ts';
import { S3Server, unpackS3Server } from '../../support/s3-server.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const program = mkdtempSync(join(tmpdir(), 'cairn-s3-'));
const patience = { firstMs: 30_000, idleMs: 30_000 };
const { signal } = new AbortController();
let missing: string | undefined;
let server: S3Server;
let url: URL;

beforeAll(async () => {
  missing = await unpackS3Server(join(program, 'server'));
  if (missing !== undefined) return;
  server = await S3Server.start(join(program, 'server'));
  url = new URL(await server.bucket('bucket'));
});
afterAll(async () => {
  if (missing === undefined) await server.stop();
  removeTree(program);
});
beforeEach((context) => skipWithout(context, missing));

type Environment = Readonly<Record<string, string | undefined>>;

function shelf(env: Environment, at = url): S3Shelf {
  return new S3Shelf(parseS3Url(at, env), { env: { HOME: '/nonexistent', ...env }, patience });
}

function text(words: string): { sizeBytes: number; chunks: () => Iterable<Uint8Array> } {
  return { sizeBytes: Buffer.byteLength(words), chunks: () => [Buffer.from(words)] };
}

test('whoever has the key is let in, from the environment or from the file that all programs read', async () => {
  await shelf(server.env).write('a', text('of the environment'), signal);
  const home = tempFolder('home');
  const credentials = join(home, 'credentials');
  const lines = Object.entries(server.env).map(([name, value]) => `${name.toLowerCase()} = ${value}`);
  writeFileSync(credentials, ['[default]', '# nobody', '[team]', ...lines, ''].join('\n'));
  const env = { AWS_SHARED_CREDENTIALS_FILE: credentials, AWS_PROFILE: 'team' };
  expect(await shelf(env).has('a', signal)).toBe(true);
  expect(await s3Login({ ...env, AWS_PROFILE: 'default' })).toBeUndefined();
});

test.each<[string, (env: Environment) => Environment, RegExp]>([
  [
    'somebody with another secret',
    (env) => ({ ...env, AWS_SECRET_ACCESS_KEY: 'guessed' }),
    /secret access key is not/,
  ],
  [
    'a key that is unknown',
    (env) => ({ ...env, AWS_ACCESS_KEY_ID: 'AKIAUNKNOWN000000000' }),
    /does not know the access key/,
  ],
])('%s is not, and hears why without any secret', async (_, change, why) => {
  const env = change(server.env);
  for (const attempt of [
    () => shelf(env).write('b', text('b'), signal),
    () => shelf(env).read('a', signal),
    () => shelf(env).names(signal),
  ]) {
    const error = await attempt().then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    );
    expect(error?.message).toMatch(why);
    expect(String(error?.stack)).not.toContain(server.env['AWS_SECRET_ACCESS_KEY']);
  }
});

test('a bucket that is not there is not an empty one', async () => {
  const elsewhere = new URL(url.href.replace('//bucket/', '//no-such-bucket/'));
  await expect(shelf(server.env, elsewhere).read('a', signal)).rejects.toThrow('no such bucket');
  await expect(shelf(server.env, elsewhere).write('a', text('a'), signal)).rejects.toThrow('no such bucket');
});

test('what is not there is nothing, and what was taken away neither', async () => {
  const here = shelf(server.env);
  await here.write('c', text('c'), signal);
  await here.remove('c', signal);
  await here.remove('c', signal);
  expect([await here.has('c', signal), await here.read('c', signal)]).toEqual([false, undefined]);
});

test('it lists more than one page of files, and those of its prefix alone', async () => {
  const here = shelf(server.env, new URL(url.href.replace('/team', '/many')));
  await shelf(server.env, new URL(url.href.replace('/team', '/many-more'))).write('x', text('x'), signal);
  const names = Array.from({ length: 1010 }, (_, at) => `n/${at}`);
  for (let at = 0; at < names.length; at += 16)
    await Promise.all(names.slice(at, at + 16).map((name) => here.write(name, text(name), signal)));
  expect(await here.names(signal)).toEqual(names.sort());
});

test.each([
  ['s3://bucket?profile=ci', 'it has profile='],
  ['s3://bucket/ü', 'letters of ASCII'],
  ['s3://B/x', '"B" is not a name of a bucket'],
  ['s3://bucket?endpoint=ftp://host', 'not a URL with http'],
  ['s3://bucket?endpoint=https://host/path', 'more than https://HOST:PORT'],
  ['s3://key:secret@bucket', 'seen by everybody'],
])('%s is refused: %s', (wrong, why) => {
  expect(() => openCache(wrong, { env: {} })).toThrow(why);
});

test('one of Amazon’s is found by its region', () => {
  const { endpoint, region } = parseS3Url(new URL('s3://bucket/team?region=eu-west-1'), {});
  expect([endpoint, region]).toEqual(['https://s3.eu-west-1.amazonaws.com', 'eu-west-1']);
});
