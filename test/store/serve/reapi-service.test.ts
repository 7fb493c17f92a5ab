// A served store over the Remote Execution API: asked by clients that are not ours, by ours, and by those who mean no good.

import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { digestOf, parseDigest } from '../../../store/base/digest.ts';
import { removeTree } from '../../../store/base/remove-tree.ts';
import { openCache } from '../../../store/caches/index.ts';
import { encodeDirectory, generateSigningKey, type ContentReader, type Node } from '../../../store/index.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { ActionResultSchema } from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { keyOf, resultWith } from '../../../store/reapi/action-results.ts';
import { digestIn, digestMessage } from '../../../store/reapi/digests.ts';
import { unpackBuildbox, type Buildbox } from '../../support/buildbox.ts';
import { Authority } from '../../support/certificates.ts';
import { skipWithout } from '../../support/needs.ts';
import { Blobs, bytesOf, readAll } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore, writeToken } from '../../support/served-store.ts';
import { claimOf, shelfTree } from '../../support/shelf-content.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'cairn-buildbox-'));
let buildbox: Buildbox | string;
beforeAll(async () => {
  buildbox = await unpackBuildbox(folder);
});
afterAll(() => removeTree(folder));

const { signal } = new AbortController();
const patience = { firstMs: 30_000, idleMs: 30_000 };
const action = digestOf(Buffer.from('action'));
const large = bytesOf(1, 9_000_001);

function clientOf(url: string, token = writeToken, authorities?: Uint8Array): ReapiClient {
  const credentials = { token, ...(authorities && { authorities }) };
  const client = new ReapiClient(url, { patience: { idleMs: 30_000 }, credentials });
  onTestFinished(() => client.close());
  return client;
}

test('clients that are not ours bring a folder, which cairn reads, and take what cairn brought', async (context) => {
  skipWithout(context, typeof buildbox === 'string' ? buildbox : undefined);
  const { casupload, casdownload } = buildbox as Buildbox;
  const serving = await serveStore();
  // They show a token over TLS alone.
  const authority = new Authority(tempFolder('authority'));
  const { cert, key: secret } = authority.issue('server');
  const tls = { cert: Buffer.from(cert), key: Buffer.from(secret) };
  const { url } = await reapiOf(serving, { tls });
  const trusted = join(tempFolder('trusted'), 'authority');
  writeFileSync(trusted, authority.cert);
  const remote = [`--remote=${url.replace('grpc', 'http')}`, `--server-cert=${trusted}`];
  const from = tempFolder('uploaded');
  mkdirSync(join(from, 'folder'));
  writeFileSync(join(from, 'folder/text'), 'text', { mode: 0o644 });
  writeFileSync(join(from, 'large'), large, { mode: 0o755 });
  const token = join(tempFolder('token'), 'token');
  writeFileSync(token, writeToken);
  const digestFile = join(tempFolder('digest'), 'digest');
  const upload = [...remote, `--output-digest-file=${digestFile}`, from];
  await expect(run(casupload, upload)).rejects.toThrow();
  await run(casupload, [`--access-token=${token}`, ...upload]);
  const inner = encodeDirectory(
    new Map([['text', { kind: 'blob', digest: digestOf(Buffer.from('text')), executable: false }]]),
  );
  const top = encodeDirectory(
    new Map([
      ['folder', { kind: 'tree', digest: digestOf(inner) }],
      ['large', { kind: 'blob', digest: digestOf(large), executable: true }],
    ]),
  );
  expect(readFileSync(digestFile, 'utf8').trim()).toBe(digestOf(top));
  const client = clientOf(url, writeToken, Buffer.from(authority.cert));
  const read = await readAll(client, [digestOf(top), digestOf(inner), digestOf(large)]);
  expect([...read.values()].map(digestOf)).toEqual([...read.keys()]);
  expect(read.size).toBe(3);

  // What cairn keeps as directories is a blob to them.
  const node: Node = { kind: 'tree', digest: digestOf(top) };
  const key = generateSigningKey('ci');
  await serving.served.takeRecords([(await claimOf(action, node, key)).bytes]);
  expect(serving.store.trees.get(digestOf(top))?.size).toBe(2);
  const to = join(tempFolder('downloaded'), 'to');
  mkdirSync(to);
  await run(casdownload, [...remote, `--root-digest=${digestOf(top)}`, `--destination-dir=${to}`]);
  expect(readFileSync(join(to, 'folder/text'), 'utf8')).toBe('text');
  expect(digestOf(readFileSync(join(to, 'large')))).toBe(digestOf(large));
  expect(serving.errors).toEqual([]);
});

test('clients that are not ours keep what commands gave, which cairn reads, and look into what cairn brought', async (context) => {
  skipWithout(context, typeof buildbox === 'string' ? buildbox : undefined);
  const { trexe, rexplorer, 'buildbox-run-hosttools': runner } = buildbox as Buildbox;
  const serving = await serveStore();
  const authority = new Authority(tempFolder('authority'));
  const { cert, key: secret } = authority.issue('server');
  const tls = { cert: Buffer.from(cert), key: Buffer.from(secret) };
  const { url } = await reapiOf(serving, { tls });
  const files = tempFolder('files');
  const at = (name: string, text?: string): string => {
    if (text !== undefined) writeFileSync(join(files, name), text);
    return join(files, name);
  };
  const remote = [
    `--remote=${url.replace('grpc', 'http')}`,
    `--server-cert=${at('authority', authority.cert)}`,
    `--access-token=${at('token', writeToken)}`,
  ];
  const client = clientOf(url, writeToken, Buffer.from(authority.cert));

  // Its input is what cairn brought.
  const text = Buffer.from('of cairn');
  const directory = encodeDirectory(
    new Map([['text', { kind: 'blob', digest: digestOf(text), executable: false }]]),
  );
  const brought = new Blobs(text, directory);
  await client.write(brought.digests, brought, signal);
  const counted = at('runner', `#!/bin/sh\necho run >> ${at('runs', '')}\nexec ${runner} "$@"\n`);
  chmodSync(counted, 0o755);
  const command = (to: string): string[] => [
    ...remote,
    ...['--cache-only', `--buildbox-run=${counted}`, '--runner-arg=--disable-localcas'],
    ...[`--input-root-digest=${digestOf(directory)}`, '--output-path=out', `--d=${at(to)}`],
    ...[`--result-metadata-file=${at('metadata')}`, '--', '/bin/sh', '-c', 'cat text text > out; echo said'],
  ];
  const env = { ...process.env, TMPDIR: tempFolder('temporary') };
  await run(trexe, command('first'), { env });
  expect(readFileSync(join(at('first'), 'out'), 'utf8')).toBe('of cairnof cairn');
  const { actionDigest } = JSON.parse(readFileSync(at('metadata'), 'utf8')) as {
    readonly actionDigest: { readonly hash: string; readonly sizeBytes: string };
  };
  const did = parseDigest(`${actionDigest.hash}/${actionDigest.sizeBytes}`)!;
  const result = await client.actionResult(did, signal);
  const out = digestOf(Buffer.from('of cairnof cairn'));
  expect(result?.outputFiles.map(({ path, digest }) => [path, digestIn(digest)])).toEqual([['out', out]]);
  expect(await client.missing([out, digestIn(result?.stdoutDigest)], signal)).toEqual(new Set());
  // Whoever asks for the same has it from there.
  await run(trexe, command('second'), { env });
  expect(readFileSync(join(at('second'), 'out'), 'utf8')).toBe('of cairnof cairn');
  expect(readFileSync(at('runs'), 'utf8')).toBe('run\n');

  for (const what of [`--action=${did}`, `--root-digest=${digestOf(directory)}`]) {
    const { stdout } = await run(rexplorer, [...remote, what]);
    expect(stdout).toContain(`"${digestOf(text)}"`);
  }
  expect(serving.errors).toEqual([]);
});

test('what came over one protocol is had over the other, records and all', async () => {
  const serving = await serveStore();
  const { url, env } = await reapiOf(serving);
  const key = generateSigningKey('ci');
  const bytes = Buffer.from('text');
  const file: Node = { kind: 'blob', digest: digestOf(bytes), executable: false };
  const directory = new Map([['file', file]]);
  const top = { kind: 'tree', digest: digestOf(encodeDirectory(directory)) } as const;
  const from: ContentReader = {
    directory: (digest) => (digest === top.digest ? directory : undefined),
    read: () => Promise.resolve(bytes),
    stream: () => [bytes] as unknown as AsyncIterable<Uint8Array>,
  };
  const [web, service] = [
    openCache(serving.url, { env: serving.env, patience }),
    openCache(url, { env, patience }),
  ];
  for (const [one, other, text] of [
    [web, service, 'first'],
    [service, web, 'second'],
  ] as const) {
    const subject = digestOf(Buffer.from(text));
    const record = { subject, bytes: (await claimOf(subject, top, key)).bytes };
    await one.push({ outputs: [{ top, name: 'tree' }], records: [record], from }, signal);
    const fresh = other === web ? openCache(serving.url, { env: serving.env, patience }) : other;
    expect(await fresh.records(new Set([subject]), signal)).toEqual([record.bytes]);
    expect(await fresh.has(new Set([top.digest]), new Set([top.digest]), signal)).toEqual(
      new Set([top.digest]),
    );
  }
  expect(serving.errors).toEqual([]);
});

test('what is forged, damaged, not there or not allowed is refused, and nothing of it shows', async () => {
  const key = generateSigningKey('ci');
  const serving = await serveStore({ storeOptions: { keys: [key.publicKey], mostBlobBytes: 20_000_000 } });
  const { url } = await reapiOf(serving);
  const client = clientOf(url);
  const refused = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'taken',
      (error: unknown) => (error as { readonly kind?: unknown }).kind,
    );
  const wrong = digestOf(Buffer.from('right'));
  const lying = (bytes: Buffer) => ({ read: () => Promise.resolve(bytes), stream: () => [bytes] as never });
  expect(await refused(client.write(new Set([wrong]), lying(Buffer.from('wrong')), signal))).not.toBe(
    'taken',
  );
  const flipped = Buffer.from(large);
  flipped[5_000_000]! ^= 1;
  expect(await refused(client.write(new Set([digestOf(large)]), lying(flipped), signal))).not.toBe('taken');
  expect(await client.missing([wrong, digestOf(large)], signal)).toEqual(new Set([wrong, digestOf(large)]));

  const { top } = await shelfTree('not here');
  const absent = await claimOf(action, { kind: 'tree', digest: top }, key);
  const other = generateSigningKey('other');
  const node: Node = { kind: 'blob', digest: digestOf(large), executable: false };
  const blobs = new Blobs(large);
  await client.write(blobs.digests, blobs, signal);
  const strange = await claimOf(action, node, other);
  for (const { bytes } of [absent, strange]) {
    const { result } = resultWith(action, [bytes], []);
    expect(await refused(client.updateActionResult(keyOf(action), result, signal))).not.toBe('taken');
  }
  // A record under the key of something else is nothing of ours, and its files are not here.
  const good = await claimOf(action, node, key);
  const elsewhere = digestOf(Buffer.from('elsewhere'));
  const { result } = resultWith(action, [good.bytes], []);
  expect(await refused(client.updateActionResult(keyOf(elsewhere), result, signal))).not.toBe('taken');
  expect(await client.actionResult(keyOf(action), signal)).toBeUndefined();
  await client.updateActionResult(keyOf(action), result, signal);
  expect(await client.actionResult(keyOf(action), signal)).toBeDefined();

  // Of others, results are kept as long as what they name is here, and are files alone.
  const [there, gone] = [digestMessage(digestOf(large)), digestMessage(digestOf(Buffer.from('gone')))];
  for (const whole of [
    { outputFiles: [{ path: 'out', digest: gone }] },
    { outputFiles: [{ path: 'out', digest: there }], stdoutDigest: gone },
    { outputFiles: [{ path: 'out', digest: there }], stderrDigest: gone },
    { outputDirectories: [{ path: 'out', treeDigest: there }] },
  ]) {
    const unkept = create(ActionResultSchema, whole);
    expect(await refused(client.updateActionResult(elsewhere, unkept, signal))).not.toBe('taken');
    expect(await client.actionResult(elsewhere, signal)).toBeUndefined();
  }
  const foreign = create(ActionResultSchema, {
    outputFiles: [{ path: 'out', digest: digestMessage(digestOf(large)) }],
    exitCode: 0,
  });
  await client.updateActionResult(elsewhere, foreign, signal);
  expect((await client.actionResult(elsewhere, signal))?.outputFiles[0]?.path).toBe('out');
  const strangers = clientOf(url, 'another-token-that-is-wrong');
  expect(await refused(strangers.updateActionResult(elsewhere, foreign, signal))).not.toBe('taken');
  const readOnly = await reapiOf(serving, { tokens: [] });
  expect(await refused(clientOf(readOnly.url).updateActionResult(elsewhere, foreign, signal))).not.toBe(
    'taken',
  );
  expect((await clientOf(readOnly.url).actionResult(elsewhere, signal))?.outputFiles).toHaveLength(1);
  expect(serving.errors).toEqual([]);
});
