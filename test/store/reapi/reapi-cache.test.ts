import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../../store/base/digest.ts';
import { removeTree } from '../../../store/base/remove-tree.ts';
import { encodeDirectory, MissingBlob, type Directory, type Node } from '../../../store/index.ts';
import { keyOf } from '../../../store/reapi/action-results.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { ReapiCache, type PushSource } from '../../../store/reapi/reapi-cache.ts';
import { ActionResultSchema } from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { unpackBuildbox, type Buildbox } from '../../support/buildbox.ts';
import { CasServer } from '../../support/cas-server.ts';
import { frontBefore } from '../../support/grpc-front.ts';
import { skipWithout } from '../../support/needs.ts';
import { Blobs, bytesOf } from '../../support/reapi-blobs.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-buildbox-'));
let buildbox: Buildbox;
let missing: string | undefined;

beforeAll(async () => {
  const unpacked = await unpackBuildbox(folder);
  if (typeof unpacked === 'string') missing = unpacked;
  else buildbox = unpacked;
});
afterAll(() => removeTree(folder));
beforeEach((context) => skipWithout(context, missing));

const { signal } = new AbortController();

/** A cache on a fresh server, behind a front that counts, and the server's client. */
async function opened() {
  const server = await CasServer.start(buildbox, tempFolder('cas'));
  onTestFinished(() => server.stop('SIGKILL'));
  const front = await frontBefore({ path: server.socket });
  const client = new ReapiClient(`grpc://127.0.0.1:${front.port}`);
  const cache = new ReapiCache('the cache', client);
  onTestFinished(() => cache.close());
  return { cache, client, calls: front.calls };
}

/** Directories and blobs that are here. */
class Content extends Blobs implements PushSource {
  readonly directories = new Map<Digest, Directory>();

  directory(digest: Digest): Directory | undefined {
    return this.directories.get(digest);
  }

  blob(bytes: Uint8Array): Node {
    const digest = digestOf(bytes);
    this.all.set(digest, bytes);
    return { kind: 'blob', digest, executable: false };
  }

  tree(entries: Readonly<Record<string, Node>>): Node & { kind: 'tree' } {
    const directory = new Map(Object.entries(entries));
    const digest = digestOf(encodeDirectory(directory));
    this.directories.set(digest, directory);
    return { kind: 'tree', digest };
  }
}

function someTree(content: Content, text: string): Node & { kind: 'tree' } {
  const files = Array.from({ length: 50 }, (_, at) => [`file${at}`, content.blob(bytesOf(at, 500))] as const);
  return content.tree({
    ...Object.fromEntries(files),
    text: content.blob(Buffer.from(text)),
    large: content.blob(bytesOf(9, 3_000_000)),
    folder: content.tree({ link: { kind: 'symlink', target: '../text' } }),
    empty: content.tree({}),
  });
}

const subjectOf = (name: string): Digest => digestOf(Buffer.from(name));
const record = (text: string): Uint8Array => Buffer.from(`record ${text}`);
const push = (content: Content, tops: readonly Node[], said: Readonly<Record<string, string>> = {}) => ({
  outputs: tops.filter((top) => top.kind !== 'symlink').map((top) => ({ top, name: 'name' })),
  records: Object.entries(said).map(([name, text]) => ({ subject: subjectOf(name), bytes: record(text) })),
  from: content,
});

test('a tree that was pushed is there with all that is below it, and so is what was recorded', async () => {
  const { cache } = await opened();
  const content = new Content();
  const top = someTree(content, 'text');
  await cache.push(push(content, [top], { action: 'of it' }), signal);
  const all = new Set([...content.directories.keys(), ...content.digests]);
  expect(await cache.has(all, new Set(), signal)).toEqual(all);
  const read = new Set<Digest>();
  await cache.read(
    all,
    async (digest, bytes) => {
      for await (const chunk of bytes) expect(chunk.length).toBeGreaterThanOrEqual(0);
      read.add(digest);
    },
    signal,
  );
  expect(read).toEqual(all);
  const [only, ...others] = await cache.records(new Set([subjectOf('action')]), signal);
  expect(Buffer.from(only!).toString()).toBe('record of it');
  expect(others).toEqual([]);
});

test('what the server has is not sent again', async () => {
  const { cache } = await opened();
  const content = new Content();
  const [first, second] = [someTree(content, 'one'), someTree(content, 'another')];
  await cache.push(push(content, [first], { action: 'one' }), signal);
  expect(await cache.push(push(content, [first], { action: 'one' }), signal)).toEqual({
    contents: 0,
    records: 0,
    sentBytes: 0,
  });
  const { contents, sentBytes } = await cache.push(push(content, [second]), signal);
  expect(contents).toBe(2);
  expect(sentBytes).toBeLessThan(10_000);
});

test('several may say something of one action, and each is heard', async () => {
  const { cache } = await opened();
  const content = new Content();
  for (const text of ['by a', 'by b', 'by a']) await cache.push(push(content, [], { action: text }), signal);
  const records = await cache.records(new Set([subjectOf('action')]), signal);
  expect(records.map((bytes) => Buffer.from(bytes).toString()).sort()).toEqual([
    'record by a',
    'record by b',
  ]);
});

test('ten thousand steps of which one is known are asked about in two questions', async () => {
  const { cache, calls } = await opened();
  await cache.push(push(new Content(), [], { known: 'known' }), signal);
  const before = calls.length;
  const subjects = new Set(Array.from({ length: 10_000 }, (_, at) => subjectOf(`step ${at}`)));
  const records = await cache.records(subjects.add(subjectOf('known')), signal);
  expect(records.length).toBe(1);
  expect(calls.length - before).toBe(2);
});

test('records that a server has dropped from a result are read from beside it', async () => {
  const { cache, client } = await opened();
  await cache.push(push(new Content(), [], { action: 'of it' }), signal);
  const key = keyOf(subjectOf('action'));
  const { outputFiles } = (await client.actionResult(key, signal))!;
  await client.updateActionResult(key, create(ActionResultSchema, { outputFiles }), signal);
  const [only] = await cache.records(new Set([subjectOf('action')]), signal);
  expect(Buffer.from(only!).toString()).toBe('record of it');
});

test('content that is not here is named, and nothing is recorded', async () => {
  const { cache } = await opened();
  const content = new Content();
  const top = content.tree({ lost: { kind: 'tree', digest: subjectOf('lost') } });
  await expect(cache.push(push(content, [top], { action: 'of it' }), signal)).rejects.toThrow(MissingBlob);
  expect(await cache.records(new Set([subjectOf('action')]), signal)).toEqual([]);
});
