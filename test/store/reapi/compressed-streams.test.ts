// Large blobs that travel as zstd, where a server says that it knows it; and servers that say so and do otherwise.

import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf } from '../../../store/base/digest.ts';
import { compressFrame } from '../../../store/caches/zstd.ts';
import { zstdContent } from '../../../store/caches/zstd-stream.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { Compressor_Value } from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { damagedVersions } from '../../support/damage.ts';
import { Blobs, bytesOf, readAll } from '../../support/reapi-blobs.ts';
import { ReapiServer, type ServerBehaviour } from '../../support/reapi-server.ts';
import { reapiOf, serveStore, writeToken } from '../../support/served-store.ts';

const { signal } = new AbortController();
const announced = { supportedCompressors: [Compressor_Value.ZSTD] } as never;
/** 6 MB of which hardly anything is new. */
const text = Buffer.from(
  Array.from({ length: 120_000 }, (_, at) => `line ${at} of something that is said again and again\n`).join(
    '',
  ),
);
const random = bytesOf(3, 4_000_001);

async function started(behaviour: ServerBehaviour = {}) {
  const server = await ReapiServer.start({ capabilities: announced, ...behaviour });
  const client = new ReapiClient(server.url, { patience: { pauseMs: 5 }, compresses: true });
  onTestFinished(() => client.close());
  return { server, client };
}

async function inflate(bytes: Uint8Array, mostBytes = 1e9): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const chunks = (async function* () {
    await Promise.resolve();
    for (let at = 0; at < bytes.length; at += 5000) yield bytes.subarray(at, at + 5000);
  })();
  for await (const part of zstdContent(chunks, mostBytes)) parts.push(part);
  return Buffer.concat(parts);
}

const frames = async (bytes: Uint8Array): Promise<Buffer> => {
  const made: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 1 << 20)
    made.push(await compressFrame(bytes.subarray(at, at + (1 << 20))));
  return Buffer.concat(made);
};

describe('our own server', () => {
  test('takes and gives as zstd what gets smaller, and keeps what it is without', async () => {
    const serving = await serveStore();
    const { url } = await reapiOf(serving);
    const client = new ReapiClient(url, { credentials: { token: writeToken }, compresses: true });
    onTestFinished(() => client.close());
    // Chunks that it lacks would go one by one.
    expect((await client.abilities(signal)).hasZstd).toBe(true);
    const small = text.subarray(0, 1_900_000);
    const blobs = new Blobs(small, random.subarray(0, 1_900_000));
    expect(await client.write([digestOf(small)], blobs, signal)).toBeLessThan(500_000);
    expect(await client.write(blobs.digests, blobs, signal)).toBeGreaterThanOrEqual(1_900_000);
    const read = await readAll(client, blobs.digests);
    for (const [digest, bytes] of blobs.all) expect(read.get(digest)?.equals(bytes)).toBe(true);
    expect(await serving.store.blobs.read(digestOf(small))).toEqual(small);
    expect(serving.errors).toEqual([]);
  });
});

describe('a server that announces zstd', () => {
  test('is sent what gets smaller as zstd, and what does not as it is', async () => {
    const { server, client } = await started({ zstd: frames });
    const blobs = new Blobs(text, random);
    const sent = await client.write(blobs.digests, blobs, signal);
    expect(sent).toBeLessThan(random.length + text.length / 4);
    const compressed = server.names.filter((name) => name.includes('compressed-blobs/zstd/'));
    expect(compressed).toEqual([expect.stringContaining(digestOf(text))]);
    const kept = server.blobs.get(digestOf(text).slice(0, 64))!;
    expect((await inflate(kept)).equals(text)).toBe(true);
    expect(server.blobs.get(digestOf(random).slice(0, 64))?.length).toBe(random.length);
  });

  test('and breaks off is asked for what is behind the bytes that came', async () => {
    const { server, client } = await started({ zstd: frames, breaks: { afterBytes: 1 << 20, times: 2 } });
    server.blobs.set(digestOf(random).slice(0, 64), random);
    const read = await readAll(client, [digestOf(random)]);
    expect(read.get(digestOf(random))?.equals(random)).toBe(true);
    const offsets = server.calls.filter((call) => call.startsWith('Read'));
    expect(offsets).toHaveLength(3);
    expect(new Set(offsets).size).toBe(3);
    expect(server.names.every((name) => name.startsWith('compressed-blobs/zstd/'))).toBe(true);
  });

  test('and does not do it is spoken to without', async () => {
    const { server, client } = await started();
    const blobs = new Blobs(text);
    await client.write(blobs.digests, blobs, signal);
    expect((await readAll(client, blobs.digests)).get(digestOf(text))?.equals(text)).toBe(true);
    expect(server.names.filter((name) => name.includes('compressed'))).toHaveLength(2);
  });

  test.each<[string, (bytes: Uint8Array) => Promise<Uint8Array>]>([
    ['more than the blob has', async (bytes) => frames(Buffer.concat([bytes, bytes]))],
    ['less', async (bytes) => (await frames(bytes)).subarray(0, 1000)],
    ['what is no zstd', (bytes) => Promise.resolve(bytes)],
  ])('and gives %s is asked for it without, and no more of it is made', async (_, zstd) => {
    const { server, client } = await started({ zstd });
    server.blobs.set(digestOf(random).slice(0, 64), random);
    expect((await readAll(client, [digestOf(random)])).get(digestOf(random))?.equals(random)).toBe(true);
  });

  test.each<[string, ServerBehaviour]>([
    ['something else', { zstd: frames, lie: (bytes) => Buffer.from(bytes).fill(0, 10, 20) }],
    ['a bomb', { zstd: () => frames(Buffer.alloc(100 << 20)) }],
  ])('and gives %s is not believed', async (_, behaviour) => {
    const { server, client } = await started(behaviour);
    server.blobs.set(digestOf(random).slice(0, 64), random);
    await expect(readAll(client, [digestOf(random)])).rejects.toMatchObject({ kind: 'wrong' });
  });
});

describe('a zstd stream', () => {
  test('of several frames, skippable ones among them, is one', async () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const parts = [text, random, Buffer.alloc(0), Buffer.alloc(700_000)];
    const all: Uint8Array[] = [skippable];
    for (const part of parts) all.push(await frames(part), skippable);
    expect((await inflate(Buffer.concat(all))).equals(Buffer.concat(parts))).toBe(true);
  });

  test('that is damaged is refused, or what it says, and never larger than it may be', async () => {
    const sound = await frames(Buffer.concat([text.subarray(0, 300_000), randomBytes(1000)]));
    for (const damaged of damagedVersions(sound, 1, 150)) {
      const came = await inflate(damaged, 400_000).catch((error: unknown) => error);
      if (came instanceof Buffer) expect(came.length).toBeLessThanOrEqual(400_000);
      else expect((came as Error).message).toMatch(/zstd|cut short/);
    }
  });

  test('that asks for more memory than anybody must have is refused', async () => {
    // A window of 2 GiB, and one block that holds a byte.
    const greedy = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 0x09, 0, 0, 1]);
    await expect(inflate(greedy)).rejects.toThrow('more memory');
  });
});
