// A served store that is kept to a size while clients push and pull: what was just pushed is whole, and of what a collection has
// taken nothing is promised any more.

import { expect, test } from 'vitest';
import { digestOf, type Digest } from '../../../store/base/digest.ts';
import { openCache, signRecord } from '../../../store/caches/index.ts';
import {
  encodeDirectory,
  generateSigningKey,
  type Cache,
  type ContentReader,
  type Node,
} from '../../../store/index.ts';
import { bytesOf } from '../../support/reapi-blobs.ts';
import { reapiOf, serveStore } from '../../support/served-store.ts';

const { signal } = new AbortController();
const key = generateSigningKey('ci');
// Half of it may be in flight; the rest has room for what each of four clients has just pushed, however slow they are.
const maxBytes = 24_000_000;

interface Made {
  readonly top: Exclude<Node, { kind: 'symlink' }>;
  readonly action: Digest;
  readonly contents: ReadonlyMap<Digest, Uint8Array>;
}

/** A tree of its own, with a large file and small ones. */
function made(seed: number): Made {
  const files = [1_200_000, 40_000, 30_000, 20_000].map((size, at) => bytesOf(seed * 10 + at + 1, size));
  const nodes = files.map((bytes, at): [string, Node] => [
    `file-${at}`,
    { kind: 'blob', digest: digestOf(bytes), executable: at === 3 },
  ]);
  const directory = encodeDirectory(new Map(nodes));
  const all = [directory, ...files];
  return {
    top: { kind: 'tree', digest: digestOf(directory) },
    action: digestOf(Buffer.from(`action ${seed}`)),
    contents: new Map(all.map((bytes) => [digestOf(bytes), bytes])),
  };
}

function readerOf({ top, contents }: Made): ContentReader {
  const nodes = [...contents]
    .slice(1)
    .map(([digest], at): [string, Node] => [`file-${at}`, { kind: 'blob', digest, executable: at === 3 }]);
  return {
    directory: (digest) => (digest === top.digest ? new Map(nodes) : undefined),
    read: (digest) => Promise.resolve(contents.get(digest)!),
    async *stream(digest) {
      yield await Promise.resolve(contents.get(digest)!);
    },
  };
}

async function push(cache: Cache, one: Made): Promise<void> {
  const claim = { format: 1, action: one.action, outputs: { out: one.top }, revision: 1 } as const;
  const records = [{ subject: one.action, bytes: signRecord({ kind: 'claim', claim }, key) }];
  await cache.push({ outputs: [{ top: one.top, name: 'made' }], records, from: readerOf(one) }, signal);
}

/** How much of it comes, of what the cache says that it has; all that comes is what it should be. */
async function pull(cache: Cache, { top, contents }: Made): Promise<number> {
  const has = await cache.has(new Set(contents.keys()), new Set([top.digest]), signal);
  let count = 0;
  await cache.read(
    has,
    async (digest, bytes) => {
      const parts: Uint8Array[] = [];
      for await (const part of bytes) parts.push(part);
      expect(digestOf(Buffer.concat(parts))).toBe(digest);
      count++;
    },
    signal,
  );
  expect(count).toBe(has.size);
  return count;
}

test.each(['http', 'grpc'])(
  'what is pushed over %s comes back whole while older things make room for it, and no record is left without its content',
  async (protocol) => {
    let collected = 0;
    const onCollected = (): number => collected++;
    const serving = await serveStore({ storeOptions: { maxBytes, onCollected } });
    const { url, env } = protocol === 'grpc' ? await reapiOf(serving) : serving;
    const patience = { firstMs: 30_000, idleMs: 30_000 };
    const open = (): Cache => openCache(url, { env, patience });
    const all: Made[] = [];
    const client = async (number: number): Promise<void> => {
      for (let round = 0; round < 8; round++) {
        const one = made(number * 100 + round);
        all.push(one);
        await push(open(), one);
        expect(await pull(open(), one)).toBe(one.contents.size);
      }
    };
    await Promise.all([1, 2, 3, 4].map(client));
    await serving.served.settled();
    expect(collected).toBeGreaterThan(0);
    expect(serving.errors).toEqual([]);

    const left = await Promise.all(all.map(async (one) => ({ one, count: await pull(open(), one) })));
    const whole = left.filter(({ one, count }) => count === one.contents.size).map(({ one }) => one.action);
    // Over HTTP an output is there or not; over gRPC each blob is.
    if (protocol === 'http') expect(left.filter(({ count }) => count > 0)).toHaveLength(whole.length);
    expect(whole.length).toBeLessThan(all.length);
    const found = await open().records(new Set(all.map(({ action }) => action)), signal);
    expect(found.length).toBe(whole.length);
    const { damages } = await (await serving.store.maintenance()).verify();
    expect(damages).toEqual([]);
  },
  60_000,
);
