import { describe, expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../../store/base/digest.ts';
import { ReapiClient } from '../../../store/reapi/client.ts';
import { DigestFunction_Value } from '../../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { Blobs, bytesOf, readAll } from '../../support/reapi-blobs.ts';
import { ReapiServer, type ServerBehaviour } from '../../support/reapi-server.ts';

const { signal } = new AbortController();

async function started(behaviour: ServerBehaviour = {}) {
  const server = await ReapiServer.start(behaviour);
  const client = new ReapiClient(server.url, { patience: { pauseMs: 5 } });
  onTestFinished(() => client.close());
  return { server, client };
}

const large = bytesOf(7, 9_000_001);

describe('a server that puts blobs together', () => {
  const splices = { spliceBlobSupport: true, fastCdc2020Params: { avgChunkSizeBytes: 65_536n, seed: 0 } };

  test('is sent a changed blob as the chunks that it lacks', async () => {
    const { server, client } = await started({ capabilities: splices as never });
    const changed = Buffer.concat([
      large.subarray(0, 4_000_000),
      Buffer.from('put in'),
      large.subarray(4_000_000),
    ]);
    const blobs = new Blobs(large, changed);
    const [first, second] = blobs.digests as [Digest, Digest];
    expect(await client.write([first], blobs, signal)).toBe(large.length);
    expect(await client.write([second], blobs, signal)).toBeLessThan(1_000_000);
    expect(server.has(second)).toBe(true);
    expect((await readAll(client, [second])).get(second)?.equals(changed)).toBe(true);
    expect(server.calls).not.toContain('Write');
  });

  test('is sent a blob of a few chunks as a whole', async () => {
    const { server, client } = await started({ capabilities: { spliceBlobSupport: true } });
    const blobs = new Blobs(large.subarray(0, 2_000_000));
    await client.write(blobs.digests, blobs, signal);
    expect(server.calls).not.toContain('SpliceBlob');
    expect(server.calls).toContain('Write');
  });
});

describe('a server', () => {
  test('that breaks off is asked for what is behind the bytes that came', async () => {
    const { server, client } = await started({ breaks: { afterBytes: 2 << 20, times: 3 } });
    server.blobs.set(digestOf(large).slice(0, 64), large);
    expect((await readAll(client, [digestOf(large)])).get(digestOf(large))?.equals(large)).toBe(true);
    const offsets = [0, 2 << 20, 4 << 20, 6 << 20].map((offset) => `Read ${offset}`);
    expect(server.calls.filter((call) => call.startsWith('Read'))).toEqual(offsets);
  });

  test.each([
    ['other bytes', (bytes: Uint8Array) => Buffer.from(bytes).fill(0, 10, 20)],
    ['more bytes', (bytes: Uint8Array) => Buffer.concat([bytes, bytes.subarray(0, 5)])],
    ['fewer bytes', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 5)],
  ])('that gives %s is not believed', async (_, lie) => {
    const { server, client } = await started({ lie });
    for (const bytes of [large, large.subarray(0, 1000)]) {
      server.blobs.set(digestOf(bytes).slice(0, 64), bytes);
      await expect(readAll(client, [digestOf(bytes)])).rejects.toThrow(/digest|early/);
    }
  });

  test('that takes small messages only is given no larger ones', async () => {
    const { server, client } = await started({ capabilities: { maxBatchTotalSizeBytes: 10_000n } });
    const blobs = new Blobs(...Array.from({ length: 20 }, (_, at) => bytesOf(at, 2000)), bytesOf(30, 20_000));
    await client.write(blobs.digests, blobs, signal);
    expect((await readAll(client, blobs.digests)).size).toBe(21);
    // Four of two thousand bytes, with what is around them, are as many as fit.
    expect(server.calls.filter((call) => call === 'BatchUpdateBlobs').length).toBe(5);
    expect(server.calls.filter((call) => call === 'Write').length).toBe(1);
  });

  test('that takes no blob as large as this one is not given half of it', async () => {
    const { server, client } = await started({ capabilities: { maxCasBlobSizeBytes: 5_000_000n } });
    const blobs = new Blobs(large);
    await expect(client.write(blobs.digests, blobs, signal)).rejects.toThrow('no blob of more than 5000000');
    expect(server.calls).toEqual(['GetCapabilities']);
  });

  test('that does not know SHA-256 is no cache for us', async () => {
    const { client } = await started({ capabilities: { digestFunctions: [DigestFunction_Value.UNKNOWN] } });
    await expect(client.abilities(signal)).rejects.toThrow('SHA-256');
  });
});
