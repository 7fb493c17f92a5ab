import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { anyPack, BytesValueSchema } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { digestOf, digestSize } from '../../../store/base/digest.ts';
import { removeTree } from '../../../store/base/remove-tree.ts';
import { encodeDirectory } from '../../../store/index.ts';
import { ReapiClient, type ReapiClientOptions } from '../../../store/reapi/client.ts';
import { ReapiFailure } from '../../../store/reapi/failure.ts';
import {
  ActionResultSchema,
  ExecutedActionMetadataSchema,
} from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { unpackBuildbox, type Buildbox } from '../../support/buildbox.ts';
import { CasServer } from '../../support/cas-server.ts';
import { Authority } from '../../support/certificates.ts';
import { endAfter, frontBefore, turnBit, type FrontOptions } from '../../support/grpc-front.ts';
import { skipWithout } from '../../support/needs.ts';
import { Blobs, bytesOf, readAll } from '../../support/reapi-blobs.ts';
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
const impatient = { firstMs: 20_000, idleMs: 20_000, tries: 4, pauseMs: 5 };

function clientOf(url: string, options: ReapiClientOptions = {}): ReapiClient {
  const client = new ReapiClient(url, { patience: impatient, ...options });
  onTestFinished(() => client.close());
  return client;
}

async function started(options?: readonly string[]): Promise<CasServer> {
  const server = await CasServer.start(buildbox, tempFolder('cas'), options);
  onTestFinished(() => server.stop('SIGKILL'));
  return server;
}

/** A server, and a client of it. */
async function connected(): Promise<{ readonly server: CasServer; readonly client: ReapiClient }> {
  const server = await started();
  return { server, client: clientOf(server.url) };
}

/** A server behind a front, a client that goes through it, and one that does not. */
async function fronted(options: FrontOptions, clientOptions: ReapiClientOptions = {}) {
  const { server, client: direct } = await connected();
  const front = await frontBefore({ path: server.socket }, options);
  const scheme = options.tls === undefined ? 'grpc' : 'grpcs';
  return { server, direct, front, client: clientOf(`${scheme}://127.0.0.1:${front.port}`, clientOptions) };
}

/** What a failed call rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<ReapiFailure> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ReapiFailure);
  return error as ReapiFailure;
}

const small = Array.from({ length: 300 }, (_, at) => bytesOf(at, at * 10));
const large = bytesOf(1, 9_000_001);

describe('a real server', () => {
  test('gives back what was written: small blobs, an empty one, and one that no message holds', async () => {
    const { client } = await connected();
    const blobs = new Blobs(...small, large);
    expect(await client.missing(blobs.digests, signal)).toEqual(
      new Set(blobs.digests.filter((digest) => digestSize(digest) > 0)),
    );
    await client.write(blobs.digests, blobs, signal);
    expect(await client.missing(blobs.digests, signal)).toEqual(new Set());
    const read = await readAll(client, blobs.digests);
    expect(read.size).toBe(blobs.all.size);
    for (const [digest, bytes] of read) expect(digestOf(bytes)).toBe(digest);
  });

  test('gives nothing of what it does not have, small or large', async () => {
    const { client } = await connected();
    const blobs = new Blobs(small[5]!);
    await client.write(blobs.digests, blobs, signal);
    const read = await readAll(client, [...blobs.digests, digestOf(small[6]!), digestOf(large)]);
    expect([...read.keys()]).toEqual(blobs.digests);
  });

  test('is asked about any number of blobs', async () => {
    const { client } = await connected();
    const blobs = new Blobs(small[9]!);
    await client.write(blobs.digests, blobs, signal);
    const absent = Array.from({ length: 45_000 }, (_, at) => digestOf(Buffer.from(`absent ${at}`)));
    expect((await client.missing([...absent, ...blobs.digests], signal)).size).toBe(absent.length);
  });

  test('takes blobs that together are more than a message, in several', async () => {
    const { client } = await connected();
    const blobs = new Blobs(...Array.from({ length: 12 }, (_, at) => bytesOf(at, 1_000_000)));
    await client.write(blobs.digests, blobs, signal);
    expect((await readAll(client, blobs.digests)).size).toBe(12);
  });

  test.each([100, 5_000_000])('refuses %i bytes that are not what their digest says', async (sizeBytes) => {
    const { client } = await connected();
    const digest = digestOf(bytesOf(1, sizeBytes));
    const blobs = new Blobs();
    blobs.all.set(digest, bytesOf(2, sizeBytes));
    expect((await failureOf(client.write([digest], blobs, signal))).kind).toBe('wrong');
    expect(await client.missing([digest], signal)).toEqual(new Set([digest]));
  });

  test('keeps what else is said about an action, as it was', async () => {
    const { client } = await connected();
    const action = digestOf(Buffer.from('action'));
    expect(await client.actionResult(action, signal)).toBeUndefined();
    const said = anyPack(BytesValueSchema, create(BytesValueSchema, { value: bytesOf(3, 300) }));
    const executionMetadata = create(ExecutedActionMetadataSchema, { auxiliaryMetadata: [said] });
    await client.updateActionResult(action, create(ActionResultSchema, { executionMetadata }), signal);
    const result = await client.actionResult(action, signal);
    const [kept, ...others] = result?.executionMetadata?.auxiliaryMetadata ?? [];
    expect(kept?.typeUrl).toBe(said.typeUrl);
    expect(Buffer.from(kept!.value)).toEqual(Buffer.from(said.value));
    expect(others).toEqual([]);
  });

  test('that takes no more says so', async () => {
    const server = await started(['--quota-high', '1M', '--reserved', '0']);
    const blobs = new Blobs(bytesOf(1, 5_000_000));
    const failure = await failureOf(clientOf(server.url).write(blobs.digests, blobs, signal));
    expect(failure.message).toContain('OutOfSpace');
  });

  test('that is not there is unavailable, after as many tries as were allowed', async () => {
    const client = clientOf(`grpc+unix://${tempFolder('none')}/s`);
    expect((await failureOf(client.missing([digestOf(large)], signal))).kind).toBe('unavailable');
  });
});

describe('clients that are not ours', () => {
  test('have trees and blobs of cairn: casdownload gets what was written', async () => {
    const { server, client } = await connected();
    const [text, program] = [Buffer.from('text'), large];
    const inner = encodeDirectory(
      new Map([['text', { kind: 'blob', digest: digestOf(text), executable: false }]]),
    );
    const top = encodeDirectory(
      new Map([
        ['folder', { kind: 'tree', digest: digestOf(inner) }],
        ['link', { kind: 'symlink', target: 'folder/text' }],
        ['program', { kind: 'blob', digest: digestOf(program), executable: true }],
      ]),
    );
    const blobs = new Blobs(text, program, inner, top);
    await client.write(blobs.digests, blobs, signal);
    const to = join(tempFolder('downloaded'), 'to');
    mkdirSync(to);
    execFileSync(
      buildbox.casdownload,
      [`--remote=unix:${server.socket}`, `--root-digest=${digestOf(top)}`, `--destination-dir=${to}`],
      { stdio: 'pipe' },
    );
    expect(readFileSync(join(to, 'link'), 'utf8')).toBe('text');
    expect(digestOf(readFileSync(join(to, 'program')))).toBe(digestOf(program));
  });

  test('bring what cairn reads: casupload names the tree by the digest that it has here', async () => {
    const { server, client } = await connected();
    const from = tempFolder('uploaded');
    mkdirSync(join(from, 'folder'));
    writeFileSync(join(from, 'folder/text'), 'text', { mode: 0o644 });
    writeFileSync(join(from, 'large'), large, { mode: 0o755 });
    const digestFile = join(tempFolder('digest'), 'digest');
    execFileSync(
      buildbox.casupload,
      [`--remote=unix:${server.socket}`, `--output-digest-file=${digestFile}`, from],
      { stdio: 'pipe' },
    );
    const text = digestOf(Buffer.from('text'));
    const inner = encodeDirectory(new Map([['text', { kind: 'blob', digest: text, executable: false }]]));
    const top = encodeDirectory(
      new Map([
        ['folder', { kind: 'tree', digest: digestOf(inner) }],
        ['large', { kind: 'blob', digest: digestOf(large), executable: true }],
      ]),
    );
    expect(readFileSync(digestFile, 'utf8').trim()).toBe(digestOf(top));
    const read = await readAll(client, [digestOf(top), digestOf(inner), text, digestOf(large)]);
    expect(read.get(digestOf(top))).toEqual(Buffer.from(top));
    expect(read.size).toBe(4);
  });
});

describe('behind a front', () => {
  const token = 'the-secret-token';

  test('with an authority, a client certificate and a token of its own, all is as without', async () => {
    const authority = new Authority(tempFolder('authority'));
    const { key, cert } = authority.issue('client');
    const { client } = await fronted(
      { tls: { ...authority.issue('server'), clientAuthority: authority.cert }, token },
      {
        credentials: {
          authorities: Buffer.from(authority.cert),
          certificate: { chain: Buffer.from(cert), key: Buffer.from(key) },
          token,
        },
      },
    );
    const blobs = new Blobs(...small.slice(0, 10), large);
    await client.write(blobs.digests, blobs, signal);
    expect((await readAll(client, blobs.digests)).size).toBe(11);
  });

  test('whose certificate nobody vouches for gets no token and no content', async () => {
    const [authority, other] = [new Authority(tempFolder('authority')), new Authority(tempFolder('other'))];
    const { client, front } = await fronted(
      { tls: authority.issue('server'), token },
      { credentials: { authorities: Buffer.from(other.cert), token }, patience: { tries: 1 } },
    );
    const failure = await failureOf(client.missing([digestOf(large)], signal));
    expect(failure.kind).toBe('unavailable');
    expect(failure.message).not.toContain(token);
    expect(front.calls).toEqual([]);
  });

  test('whose certificate has expired gets no token and no content', async () => {
    const authority = new Authority(tempFolder('authority'));
    const { client, front } = await fronted(
      { tls: authority.issue('server', -1), token },
      { credentials: { authorities: Buffer.from(authority.cert), token }, patience: { tries: 1 } },
    );
    expect((await failureOf(client.missing([digestOf(large)], signal))).message).toContain('expired');
    expect(front.calls).toEqual([]);
  });

  test('that wants a client certificate refuses who has none', async () => {
    const authority = new Authority(tempFolder('authority'));
    const { client } = await fronted(
      { tls: { ...authority.issue('server'), clientAuthority: authority.cert } },
      { credentials: { authorities: Buffer.from(authority.cert) }, patience: { tries: 1 } },
    );
    expect((await failureOf(client.missing([digestOf(large)], signal))).kind).toBe('unavailable');
  });

  test('that wants another token refuses, is asked once, and ours is in no message', async () => {
    const { client, front } = await fronted({ token: 'another' }, { credentials: { token } });
    const failure = await failureOf(client.missing([digestOf(large)], signal));
    expect(failure.kind).toBe('refused');
    expect(`${failure.message} ${failure.stack}`).not.toContain(token);
    expect(front.calls.length).toBe(1);
  });
});

describe('on a bad line', () => {
  const read = '/google.bytestream.ByteStream/Read';
  const write = '/google.bytestream.ByteStream/Write';
  const blobs = new Blobs(large);

  test('reading goes on where it broke off', async () => {
    const { client, direct, front } = await fronted({
      meddle: (path, nth) => (path === read && nth < 3 ? { answer: endAfter(2_000_000) } : undefined),
    });
    await direct.write(blobs.digests, blobs, signal);
    expect((await readAll(client, blobs.digests)).get(digestOf(large))?.equals(large)).toBe(true);
    expect(front.calls.filter((path) => path === read).length).toBe(4);
  });

  test('writing goes on, or begins again, until all of it is there', async () => {
    const { client, direct, front } = await fronted({
      meddle: (path, nth) => (path === write && nth < 2 ? { question: endAfter(3_000_000) } : undefined),
    });
    await client.write(blobs.digests, blobs, signal);
    expect(await direct.missing(blobs.digests, signal)).toEqual(new Set());
    expect(front.calls.filter((path) => path.endsWith('/QueryWriteStatus')).length).toBeGreaterThan(0);
  });

  test.each([
    ['small', small[200]!, '/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchReadBlobs', 1500],
    ['large', large, read, 500_000],
  ] as const)('a %s blob with one bit turned is not given as whole', async (_, bytes, path, at) => {
    const { client, direct } = await fronted({
      meddle: (called) => (called === path ? { answer: turnBit(at) } : undefined),
    });
    const one = new Blobs(bytes);
    await direct.write(one.digests, one, signal);
    expect((await failureOf(readAll(client, one.digests))).kind).toBe('wrong');
  });

  test('who says nothing is waited for once, as long as patience goes', async () => {
    const { client, front } = await fronted(
      { meddle: () => ({ isSilent: true }) },
      { patience: { ...impatient, idleMs: 100 } },
    );
    const failure = await failureOf(client.missing([digestOf(large)], signal));
    expect(failure).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('nothing came') as string,
    });
    expect(front.calls).toHaveLength(1);
  });

  test('a stream that stands still is given up, and not begun again', async () => {
    const { client, direct, front } = await fronted(
      { meddle: (path) => (path === read ? { isSilent: true } : undefined) },
      { patience: { ...impatient, idleMs: 100 } },
    );
    await direct.write(blobs.digests, blobs, signal);
    const failure = await failureOf(readAll(client, blobs.digests));
    expect(failure).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('nothing came') as string,
    });
    expect(front.calls.filter((path) => path === read)).toHaveLength(1);
  });

  test('what carries much is waited for longer than a question', async () => {
    const batchUpdate = '/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchUpdateBlobs';
    const { client, direct } = await fronted(
      { meddle: (path) => (path === batchUpdate ? { answerAfterMs: 1500 } : undefined) },
      { patience: { ...impatient, idleMs: 1000 } },
    );
    const batch = new Blobs(...[1, 2, 3].map((seed) => bytesOf(seed, 1_000_000)));
    await client.write(batch.digests, batch, signal);
    expect(await direct.missing(batch.digests, signal)).toEqual(new Set());
  });

  test('a server that is killed in the middle, and comes back, is asked for the rest', async () => {
    let kill: (() => void) | undefined;
    const { client, direct, server } = await fronted(
      {
        meddle: (path, nth) =>
          path === read && nth === 0
            ? { answer: (bytes) => (kill?.(), (kill = undefined), bytes) }
            : undefined,
      },
      { patience: { tries: 8, pauseMs: 20, idleMs: 5000 } },
    );
    await direct.write(blobs.digests, blobs, signal);
    let back: Promise<void> | undefined;
    kill = () => {
      back = server.stop('SIGKILL').then(() => server.start());
    };
    expect((await readAll(client, blobs.digests)).get(digestOf(large))?.equals(large)).toBe(true);
    expect(back).toBeDefined();
    await back;
  });
});

describe('who cancels', () => {
  test('is rejected with the reason, while an answer is waited for', async () => {
    const ending = new AbortController();
    const { client } = await fronted({
      meddle: () => {
        queueMicrotask(() => ending.abort(new Error('enough')));
        return { isSilent: true };
      },
    });
    await expect(client.missing([digestOf(large)], ending.signal)).rejects.toThrow('enough');
  });

  test('is rejected with the reason, in the middle of a stream', async () => {
    const { client } = await connected();
    const blobs = new Blobs(large);
    await client.write(blobs.digests, blobs, signal);
    const ending = new AbortController();
    const reading = client.read(
      blobs.digests,
      async (_, bytes) => {
        for await (const chunk of bytes) if (chunk.length > 0) ending.abort(new Error('enough'));
      },
      ending.signal,
    );
    await expect(reading).rejects.toThrow('enough');
  });
});
