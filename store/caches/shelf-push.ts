// One push onto a shelf: what is not there yet is packed and sent, then listed, then the records, then their index. Ended at any
// moment, what is there is whole, and what is missing is missed, never wrong.

import { createHash } from 'node:crypto';
import pLimit, { type LimitFunction } from 'p-limit';
import { digestHash, digestSize, type Digest } from '../base/digest.ts';
import { MissingBlob } from '../store.ts';
import { emptyTree, encodeDirectory, sortedNames } from '../trees/tree.ts';
import type { Push, Pushed, PushedOutput, PushedRecord } from './cache.ts';
import { encodeContentList, type ContentList } from './content-list.ts';
import { encodePack, groupedForPacks, largeBytes, type PackedFile } from './pack.ts';
import { encodePieces, joined } from './pieces.ts';
import { formatEntries, shardOf, shortName, shortSubject, type IndexEntry } from './record-index.ts';
import { encodeRecordPack } from './record-pack.ts';
import type { Shelf } from './shelf.ts';
import { spooled } from './spool.ts';

/** Files that are open at once. */
const readsAtOnce = 16;

export interface ShelfPushOptions {
  /** What the cache says it has. */
  readonly knows: {
    /** By the hash of the output's top. */
    readonly list: (hash: string) => Promise<ContentList | undefined>;
    readonly entries: () => Promise<readonly IndexEntry[]>;
  };
  readonly requests: LimitFunction;
  readonly signal: AbortSignal;
  /** Files that are not what they should be: as good as not there. */
  readonly damaged?: ReadonlySet<string>;
}

/** What is below an output: directories, from the top down, and files. */
interface Below {
  readonly directories: ReadonlySet<Digest>;
  readonly files: ReadonlySet<Digest>;
}

export class ShelfPush {
  readonly #shelf: Shelf;
  readonly #push: Push;
  readonly #options: ShelfPushOptions;
  /** Where small content lies, as far as it is known: the name of a pack. */
  readonly #packed = new Map<Digest, string>();
  /** Large content that is known to be there. */
  readonly #alone = new Set<Digest>();
  #contents = 0;
  #sentBytes = 0;

  constructor(shelf: Shelf, push: Push, options: ShelfPushOptions) {
    this.#shelf = shelf;
    this.#push = push;
    this.#options = options;
  }

  async done(): Promise<Pushed> {
    const lists = await Promise.all(
      this.#push.outputs.map(async (output) => ({
        output,
        list: await this.#options.knows.list(digestHash(output.top.digest)),
      })),
    );
    const missing = lists.filter(({ list }) => list === undefined).map(({ output }) => output);
    for (const { list } of lists) this.#learn(list);
    await this.#learnFormer(missing);
    for (const output of missing) await this.#pushOutput(output);
    const records = await this.#pushRecords();
    return { contents: this.#contents, records, sentBytes: this.#sentBytes };
  }

  // The versions before these are likely to share most of their content.
  async #learnFormer(outputs: readonly PushedOutput[]): Promise<void> {
    const { knows, signal } = this.#options;
    const names = new Set(outputs.map(({ name }) => latestName(name)));
    await Promise.all(
      [...names].map(async (name) => {
        const found = await this.#options.requests(() => this.#shelf.read(name, signal));
        if (found === undefined) return;
        const text = (await joined(found, 1024)).toString();
        if (/^[0-9a-f]{64}$/.test(text)) this.#learn(await knows.list(text));
      }),
    );
  }

  #learn(list: ContentList | undefined): void {
    const { damaged } = this.#options;
    for (const { name, holds } of list?.packs ?? []) {
      if (damaged?.has(`packs/${name}`) === true) continue;
      for (const digest of holds) this.#packed.set(digest, name);
    }
    for (const digest of list?.alone ?? [])
      if (damaged?.has(blobName(digest)) !== true) this.#alone.add(digest);
  }

  async #pushOutput({ top, name }: PushedOutput): Promise<void> {
    const below = belowTop(top, this.#push);
    const isLarge = (digest: Digest): boolean => digestSize(digest) >= largeBytes;
    const small = [...below.files].filter((digest) => !isLarge(digest));
    const large = [...[...below.directories].filter(isLarge), ...[...below.files].filter(isLarge)];
    const directories = [...below.directories].filter((digest) => !isLarge(digest));
    await this.#pushSmall(directories, (digest) => Promise.resolve(this.#directoryBytes(digest)));
    await this.#pushSmall(small, (digest) => this.#push.from.read(digest));
    await Promise.all(large.map((digest) => this.#pushLarge(digest, below)));
    await this.#writeList(top.digest, [...directories, ...small], large);
    const latest = Buffer.from(digestHash(top.digest));
    await this.#write(latestName(name), [latest]);
  }

  async #pushSmall(digests: readonly Digest[], read: (digest: Digest) => Promise<Uint8Array>): Promise<void> {
    const fresh = digests.filter((digest) => !this.#packed.has(digest));
    const reads = pLimit(readsAtOnce);
    for (const group of groupedForPacks(fresh)) {
      const files = await Promise.all(
        group.map((digest) =>
          reads(async (): Promise<PackedFile> => ({ digest, bytes: await read(digest) })),
        ),
      );
      const bytes = await joined(encodePack(files));
      const name = createHash('sha256').update(bytes).digest('hex');
      await this.#write(`packs/${name}`, [bytes]);
      for (const digest of group) this.#packed.set(digest, name);
      this.#contents += group.length;
    }
  }

  async #pushLarge(digest: Digest, { directories }: Below): Promise<void> {
    if (this.#alone.has(digest)) return;
    const { requests, signal, damaged } = this.#options;
    const name = blobName(digest);
    await requests(async () => {
      if (damaged?.has(name) === true || !(await this.#shelf.has(name, signal))) {
        const content = directories.has(digest)
          ? [this.#directoryBytes(digest)]
          : this.#push.from.stream(digest);
        await using spool = await spooled(encodePieces(content), signal);
        await this.#shelf.write(name, spool, signal);
        this.#contents += 1;
        this.#sentBytes += spool.sizeBytes;
      }
      this.#alone.add(digest);
    });
  }

  async #writeList(top: Digest, small: readonly Digest[], large: readonly Digest[]): Promise<void> {
    const holds = new Map<string, Digest[]>();
    for (const digest of small) {
      const pack = this.#packed.get(digest)!;
      const held = holds.get(pack) ?? [];
      holds.set(pack, held);
      held.push(digest);
    }
    const packs = [...holds].map(([name, held]) => ({ name, holds: held }));
    const bytes = await joined(encodePieces([encodeContentList({ packs, alone: large })]));
    await this.#write(`content/${digestHash(top)}`, [bytes]);
  }

  async #pushRecords(): Promise<number> {
    const known = new Set((await this.#options.knows.entries()).map(({ record }) => record));
    const fresh = this.#push.records.filter(({ bytes }) => !known.has(shortName(bytes)));
    if (fresh.length === 0) return 0;
    const bytes = await encodeRecordPack(fresh.map((record) => record.bytes));
    const pack = shortName(bytes);
    await this.#write(`records/${pack}`, [bytes]);
    await Promise.all(
      [...byShard(fresh, pack)].map(([shard, entries]) =>
        this.#options.requests(() =>
          this.#shelf.append(`index/${shard}`, formatEntries(entries), this.#options.signal),
        ),
      ),
    );
    return fresh.length;
  }

  async #write(name: string, chunks: readonly Uint8Array[]): Promise<void> {
    const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    await this.#shelf.write(name, { sizeBytes, chunks: () => chunks }, this.#options.signal);
    this.#sentBytes += sizeBytes;
  }

  #directoryBytes(digest: Digest): Uint8Array {
    const directory = this.#push.from.directory(digest);
    if (directory === undefined) throw new MissingBlob(digest);
    return encodeDirectory(directory);
  }
}

function blobName(digest: Digest): string {
  return `blobs/${digestHash(digest)}`;
}

/** Where a cache says what the newest version of something is. */
function latestName(name: string): string {
  return `latest/${createHash('sha256').update(name).digest('hex')}`;
}

function belowTop(top: PushedOutput['top'], { from }: Push): Below {
  const directories = new Set<Digest>();
  const files = new Set<Digest>();
  const pending: (typeof top)[] = [top];
  // It grows while it is walked: what leads to others comes first.
  for (const node of pending) {
    if (node.kind === 'blob') files.add(node.digest);
    if (node.kind === 'blob' || node.digest === emptyTree.digest || directories.has(node.digest)) continue;
    directories.add(node.digest);
    const directory = from.directory(node.digest);
    if (directory === undefined) throw new MissingBlob(node.digest);
    for (const name of sortedNames(directory)) {
      const child = directory.get(name)!;
      if (child.kind !== 'symlink') pending.push(child);
    }
  }
  return { directories, files };
}

function byShard(records: readonly PushedRecord[], pack: string): Map<string, IndexEntry[]> {
  const shardsOf = new Map<string, IndexEntry[]>();
  for (const { subject, bytes } of records) {
    const entry = { subject: shortSubject(subject), record: shortName(bytes), pack };
    const shard = shardOf(entry.subject);
    const entries = shardsOf.get(shard) ?? [];
    shardsOf.set(shard, entries);
    entries.push(entry);
  }
  return shardsOf;
}
