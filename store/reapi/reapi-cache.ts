// A Remote Execution API server as a cache of trees, and of what was signed about them. A tree's directories and files are blobs
// there, by the digests they have here. Knows nothing of who signed, and believes no record.

import pLimit from 'p-limit';
import { digestSize, type Digest } from '../base/digest.ts';
import type { Likenesses } from '../chunking/likenesses.ts';
import { MissingBlob } from '../store.ts';
import { emptyTree, encodeDirectory, type Directory, type Node } from '../trees/tree.ts';
import { keyOf, recordFilesIn, recordsIn, resultWith } from './action-results.ts';
import type { BlobSource, ReapiClient, TakeBlob } from './client.ts';
import { ReapiFailure } from './failure.ts';

/** Where what is pushed comes from. */
export interface PushSource {
  directory(digest: Digest): Directory | undefined;
  read(digest: Digest): Promise<Uint8Array>;
  stream(digest: Digest): AsyncIterable<Uint8Array>;
}

export interface ReapiPush {
  readonly outputs: readonly { readonly top: Exclude<Node, { kind: 'symlink' }> }[];
  readonly records: readonly { readonly subject: Digest; readonly bytes: Uint8Array }[];
  readonly from: PushSource;
}

/** Results that are asked for at once. */
const questionsAtOnce = 16;
const largestRecordBytes = 1 << 20;

export class ReapiCache {
  /** For people. */
  readonly name: string;
  readonly #client: ReapiClient;

  constructor(name: string, client: ReapiClient) {
    this.name = name;
    this.#client = client;
  }

  /** Learns what the server is, once: for that nobody waits as long as for all that follows. @throws ReapiFailure; the signal's reason */
  async reach(signal: AbortSignal): Promise<void> {
    await this.#client.abilities(signal);
  }

  /** What is recorded about these, in no order, as anybody may have written it. @throws ReapiFailure */
  async records(subjects: ReadonlySet<Digest>, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const keys = [...subjects].map(keyOf);
    const missing = await this.#client.missing(keys, signal);
    const found = await inParallel(
      keys.filter((key) => !missing.has(key)),
      (key) => this.#recordsAt(key, signal),
    );
    return found.flat();
  }

  /** Which of these it has. @throws ReapiFailure */
  async has(
    digests: ReadonlySet<Digest>,
    _: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<Digest>> {
    const missing = await this.#client.missing(digests, signal);
    return new Set([...digests].filter((digest) => !missing.has(digest)));
  }

  /** Gives what it has of these, unverified, each once, in any order, several at once. @throws ReapiFailure; what `take` throws */
  read(
    digests: ReadonlySet<Digest>,
    take: TakeBlob,
    signal: AbortSignal,
    likenesses?: Likenesses,
  ): Promise<void> {
    return this.#client.receive(digests, take, signal, likenesses);
  }

  /** It keeps no books by output. */
  below(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  /**
   * Brings what it lacks: content first, then the records about it. Of two who add to one subject at once, one may have to say it
   * again. @throws ReapiFailure; MissingBlob for content that is not here
   */
  async push(
    { outputs, records, from }: ReapiPush,
    signal: AbortSignal,
  ): Promise<{ readonly contents: number; readonly records: number; readonly sentBytes: number }> {
    const { mayUpdateActions } = await this.#client.abilities(signal);
    if (!mayUpdateActions && records.length > 0)
      throw new ReapiFailure('refused', 'the server takes no results of actions');
    const missing = await this.#client.missing(contentOf(outputs, from), signal);
    const sentBytes = await this.#client.write(missing, sourceOf(from), signal);
    const said = await this.#say(bySubject(records), signal);
    return { contents: missing.size, records: said.records, sentBytes: sentBytes + said.sentBytes };
  }

  close(): void {
    this.#client.close();
  }

  async #recordsAt(key: Digest, signal: AbortSignal): Promise<Uint8Array[]> {
    const result = await this.#client.actionResult(key, signal);
    if (result === undefined) return [];
    const records = recordsIn(result);
    if (records.length > 0) return records;
    const files = recordFilesIn(result).filter((digest) => digestSize(digest) <= largestRecordBytes);
    const read: Uint8Array[] = [];
    const take: TakeBlob = async (_, bytes) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      read.push(Uint8Array.from(Buffer.concat(chunks)));
    };
    await this.#client.read(files, take, signal);
    return read;
  }

  // What has been said already, and would be found, is not said again.
  async #say(
    bySubject: ReadonlyMap<Digest, readonly Uint8Array[]>,
    signal: AbortSignal,
  ): Promise<{ readonly records: number; readonly sentBytes: number }> {
    const keys = new Map([...bySubject.keys()].map((subject) => [subject, keyOf(subject)]));
    const forgotten = await this.#client.missing(keys.values(), signal);
    const changes = await inParallel([...bySubject], async ([subject, records]) => {
      const key = keys.get(subject)!;
      const before = await this.#recordsAt(key, signal);
      const known = new Set(before.map(textOf));
      const fresh = records.filter((bytes) => !known.has(textOf(bytes)));
      if (fresh.length === 0 && !forgotten.has(key)) return undefined;
      return { key, fresh, ...resultWith(subject, records, before) };
    });
    const all = changes.filter((change) => change !== undefined);
    const files = new Map(all.flatMap((change) => [...change.files]));
    const missing = await this.#client.missing(files.keys(), signal);
    const sentBytes = await this.#client.write(missing, sourceOfFiles(files), signal);
    await inParallel(all, ({ key, result }) => this.#client.updateActionResult(key, result, signal));
    const fresh = all.flatMap((change) => change.fresh);
    const inResults = fresh.reduce((sum, { byteLength }) => sum + byteLength, 0);
    return { records: fresh.length, sentBytes: sentBytes + inResults };
  }
}

// All blobs and directories of outputs, each once.
function contentOf(outputs: ReapiPush['outputs'], from: PushSource): Set<Digest> {
  const content = new Set<Digest>();
  const trees = new Set<Digest>();
  const open = outputs.map(({ top }): Node => top);
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'symlink') continue;
    content.add(node.digest);
    if (node.kind === 'blob' || trees.has(node.digest)) continue;
    trees.add(node.digest);
    for (const below of directoryIn(from, node.digest).values()) open.push(below);
  }
  return content;
}

function directoryIn(from: PushSource, digest: Digest): Directory {
  if (digest === emptyTree.digest) return new Map();
  const directory = from.directory(digest);
  if (directory === undefined) throw new MissingBlob(digest);
  return directory;
}

// A directory is a blob like any other there.
function sourceOf(from: PushSource): BlobSource {
  const encoded = (digest: Digest): Uint8Array | undefined => {
    const directory = from.directory(digest);
    return directory && encodeDirectory(directory);
  };
  return {
    read: async (digest) => encoded(digest) ?? from.read(digest),
    stream: async function* (digest) {
      const bytes = encoded(digest);
      if (bytes === undefined) yield* from.stream(digest);
      else yield bytes;
    },
  };
}

function sourceOfFiles(files: ReadonlyMap<Digest, Uint8Array>): BlobSource {
  const read = (digest: Digest): Promise<Uint8Array> => Promise.resolve(files.get(digest)!);
  return {
    read,
    stream: async function* (digest) {
      yield await read(digest);
    },
  };
}

function bySubject(records: ReapiPush['records']): Map<Digest, Uint8Array[]> {
  const subjects = new Map<Digest, Uint8Array[]>();
  for (const { subject, bytes } of records) subjects.set(subject, [...(subjects.get(subject) ?? []), bytes]);
  return subjects;
}

function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const limit = pLimit(questionsAtOnce);
  return Promise.all(items.map((item) => limit(() => work(item))));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
