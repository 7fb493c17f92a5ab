// Many machines that push to one served store at once, as a process of its own, so that what they cost is not the server's: each brings
// an output of its own, with a large file and small ones. Told what to do on standard input, tells on standard output.

import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { openCache } from '../../store/caches/index.ts';
import { encodeDirectory, type ContentReader, type Node } from '../../store/index.ts';

export interface PushLoad {
  readonly url: string;
  /** The environment that has the token. */
  readonly env: Readonly<Record<string, string>>;
  readonly clients: number;
  /** Of the large file; the small ones are 30 kB each. */
  readonly largeBytes: number;
  readonly smallFiles: number;
}

export interface PushLoaded {
  readonly ms: number;
  readonly bytes: number;
  readonly failures: readonly string[];
}

const { signal } = new AbortController();
const load = JSON.parse(await text(process.stdin)) as PushLoad;
// Made once: what differs is the beginning of each file.
const large = randomBytes(load.largeBytes);
const started = performance.now();
const ended = await Promise.allSettled(Array.from({ length: load.clients }, (_, at) => push(at)));
const loaded: PushLoaded = {
  ms: performance.now() - started,
  bytes: load.clients * (load.largeBytes + load.smallFiles * 30_000),
  failures: ended.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
};
process.stdout.write(JSON.stringify(loaded));

async function push(client: number): Promise<void> {
  const files = new Map<Digest, { readonly head: Buffer; readonly rest: Buffer }>();
  const directory = new Map<string, Node>();
  for (let at = 0; at <= load.smallFiles; at++) {
    const bytes = {
      head: Buffer.from(`${client} ${at} `.padEnd(16)),
      rest: at === 0 ? large : large.subarray(0, 29_984),
    };
    const digest = digestOf(Buffer.concat([bytes.head, bytes.rest]));
    files.set(digest, bytes);
    directory.set(`file-${at}`, { kind: 'blob', digest, executable: false });
  }
  const top = { kind: 'tree', digest: digestOf(encodeDirectory(directory)) } as const;
  const from: ContentReader = {
    directory: (digest) => (digest === top.digest ? directory : undefined),
    read: (digest) => {
      const { head, rest } = files.get(digest)!;
      return Promise.resolve(Buffer.concat([head, rest]));
    },
    stream: async function* (digest) {
      const { head, rest } = files.get(digest)!;
      yield await Promise.resolve(head);
      for (let at = 0; at < rest.byteLength; at += 1 << 20) yield rest.subarray(at, at + (1 << 20));
    },
  };
  const cache = openCache(load.url, { env: load.env, patience: { firstMs: 120_000, idleMs: 120_000 } });
  await cache.push({ outputs: [{ top, name: `of client ${client}` }], records: [], from }, signal);
}
