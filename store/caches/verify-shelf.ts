// Everything on a shelf looked at: signatures, digests, and whether each output is whole. Changes nothing, and trusts nothing that
// it reads. Held in memory are names and digests, and one pack at a time.

import { createHash } from 'node:crypto';
import { asStream } from '../base/as-stream.ts';
import { DigestHasher, digestHash, digestOf, type Digest } from '../base/digest.ts';
import { decodeDirectory, emptyTree, type Node } from '../trees/tree.ts';
import type { CacheDamage, CacheReport } from './cache.ts';
import { decodeContentList, type ContentList } from './content-list.ts';
import { describeFailure } from './describe-failure.ts';
import { decodePack } from './pack.ts';
import { decodePieces, joined } from './pieces.ts';
import { parseEntries, shards, shortName } from './record-index.ts';
import { decodeRecordPack } from './record-pack.ts';
import type { Shelf } from './shelf.ts';
import { decodeSignedRecord, isGenuine, promisedBy } from './signed-record.ts';

type Top = Exclude<Node, { kind: 'symlink' }>;

export class ShelfVerification {
  readonly #shelf: Shelf;
  readonly #signal: AbortSignal;
  readonly #damages: CacheDamage[] = [];
  readonly #tops = new Map<string, Top>();
  readonly #lists = new Map<string, ContentList>();
  /** By name, what lists say each pack holds. */
  readonly #packs = new Map<string, Set<Digest>>();
  readonly #alone = new Set<Digest>();
  /** Found, and what its digest says. */
  readonly #sound = new Set<Digest>();
  /** What a directory leads to, of all that can be read as one. */
  readonly #below = new Map<Digest, readonly Top[]>();
  readonly #seen = new Set<string>();
  #records = 0;
  #readBytes = 0;

  constructor(shelf: Shelf, signal: AbortSignal) {
    this.#shelf = shelf;
    this.#signal = signal;
  }

  /** @throws when the shelf cannot be asked */
  async done(): Promise<CacheReport> {
    for (const shard of shards) await this.#verifyShard(`index/${shard}`);
    const listed = await this.#shelf.names?.(this.#signal);
    for (const name of listed ?? []) {
      const hash = /^content\/([0-9a-f]{64})$/.exec(name)?.[1];
      if (hash !== undefined && !this.#tops.has(hash)) await this.#readList(hash);
    }
    for (const hash of this.#tops.keys()) await this.#readList(hash);
    for (const [pack, holds] of this.#packs) await this.#verifyPack(pack, holds);
    for (const digest of this.#alone) await this.#verifyAlone(digest);
    for (const [hash, list] of this.#lists) this.#verifyOutput(hash, list);
    return {
      records: this.#records,
      outputs: this.#lists.size,
      contents: this.#sound.size,
      readBytes: this.#readBytes,
      damages: this.#damages,
      leftovers: (listed ?? []).filter((name) => this.#isLeftover(name)),
    };
  }

  async #verifyShard(name: string): Promise<void> {
    const text = await this.#read(name);
    if (text === undefined) return;
    const entries = parseEntries(text.toString('latin1'));
    for (const pack of new Set(entries.map((entry) => entry.pack))) {
      const promised = new Set(entries.filter((entry) => entry.pack === pack).map(({ record }) => record));
      const found = await this.#verifyRecords(pack);
      const lost = [...promised].filter((record) => !found.has(record));
      if (lost.length > 0) this.#damages.push({ kind: 'records', name: `records/${pack}`, records: lost });
    }
  }

  readonly #recordPacks = new Map<string, ReadonlySet<string>>();

  /** The names of those that are genuine. */
  async #verifyRecords(pack: string): Promise<ReadonlySet<string>> {
    const known = this.#recordPacks.get(pack);
    if (known !== undefined) return known;
    const sound = new Set<string>();
    this.#recordPacks.set(pack, sound);
    const bytes = await this.#read(`records/${pack}`);
    for (const encoded of bytes === undefined ? [] : await recordsIn(bytes)) {
      const record = decodeSignedRecord(encoded);
      if (record === undefined || !isGenuine(record)) continue;
      sound.add(shortName(encoded));
      this.#records += 1;
      for (const node of Object.values(promisedBy(record.statement)))
        if (node.kind !== 'symlink') this.#tops.set(digestHash(node.digest), node);
    }
    return sound;
  }

  async #readList(hash: string): Promise<void> {
    const bytes = await this.#read(`content/${hash}`);
    const list = bytes && decodeContentList(await decoded(bytes));
    if (list === undefined) {
      this.#damage(`content/${hash}`, bytes && 'it is no list of content', [hash]);
      return;
    }
    this.#lists.set(hash, list);
    for (const { name, holds } of list.packs) {
      const all = this.#packs.get(name) ?? new Set();
      this.#packs.set(name, all);
      for (const digest of holds) all.add(digest);
    }
    for (const digest of list.alone) this.#alone.add(digest);
  }

  async #verifyPack(pack: string, holds: ReadonlySet<Digest>): Promise<void> {
    const name = `packs/${pack}`;
    const bytes = await this.#read(name);
    if (bytes === undefined) {
      this.#damage(name, undefined, this.#outputsWith(pack));
      return;
    }
    const here = new Set<Digest>();
    try {
      for await (const file of decodePack(asStream(bytes))) {
        if (digestOf(file.bytes) !== file.digest) continue;
        here.add(file.digest);
        this.#sound.add(file.digest);
        this.#learnDirectory(file.digest, file.bytes);
      }
    } catch (error) {
      this.#damage(name, describeFailure(error), this.#outputsWith(pack));
      return;
    }
    const isNamed = createHash('sha256').update(bytes).digest('hex') === pack;
    if (!isNamed || [...holds].some((digest) => !here.has(digest)))
      this.#damage(name, 'it holds something else', this.#outputsWith(pack));
  }

  async #verifyAlone(digest: Digest): Promise<void> {
    const name = `blobs/${digestHash(digest)}`;
    const outputs = [...this.#lists].filter(([, { alone }]) => alone.includes(digest)).map(([hash]) => hash);
    this.#seen.add(name);
    try {
      const found = await this.#shelf.read(name, this.#signal);
      if (found === undefined) {
        this.#damage(name, undefined, outputs);
        return;
      }
      const hasher = new DigestHasher();
      for await (const piece of decodePieces(this.#counted(found))) hasher.update(piece);
      if (hasher.digest() !== digest) {
        this.#damage(name, 'it holds something else', outputs);
        return;
      }
      this.#sound.add(digest);
    } catch (error) {
      this.#signal.throwIfAborted();
      this.#damage(name, describeFailure(error), outputs);
    }
  }

  // A list that leaves out part of its output is as bad as a file that is gone.
  #verifyOutput(hash: string, list: ContentList): void {
    const top = this.#tops.get(hash);
    if (top === undefined) return;
    const listed = new Set([...list.packs.flatMap(({ holds }) => holds), ...list.alone]);
    const seen = new Set<Digest>();
    const pending: Top[] = [top];
    for (const { kind, digest } of pending) {
      if ((kind === 'tree' && digest === emptyTree.digest) || seen.has(digest)) continue;
      if (!listed.has(digest)) {
        this.#damage(`content/${hash}`, 'it leaves out part of it', [hash]);
        return;
      }
      seen.add(digest);
      if (kind === 'tree') pending.push(...(this.#below.get(digest) ?? []));
    }
  }

  #learnDirectory(digest: Digest, bytes: Uint8Array): void {
    try {
      const nodes = [...decodeDirectory(bytes).values()];
      this.#below.set(
        digest,
        nodes.filter((node) => node.kind !== 'symlink'),
      );
    } catch {
      // a file
    }
  }

  #outputsWith(pack: string): string[] {
    return [...this.#lists]
      .filter(([, { packs }]) => packs.some(({ name }) => name === pack))
      .map(([hash]) => hash);
  }

  #damage(name: string, problem: string | undefined, hashes: readonly string[]): void {
    const outputs = hashes.flatMap((hash) => this.#tops.get(hash) ?? []);
    this.#damages.push({ kind: 'content', name, problem: problem ?? 'it is gone', outputs, lists: hashes });
  }

  #isLeftover(name: string): boolean {
    return !this.#seen.has(name) && /^(packs|blobs|content|records)\/./.test(name);
  }

  async #read(name: string): Promise<Buffer | undefined> {
    this.#signal.throwIfAborted();
    this.#seen.add(name);
    const found = await this.#shelf.read(name, this.#signal);
    return found && joined(this.#counted(found));
  }

  async *#counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.#readBytes += chunk.byteLength;
      yield chunk;
    }
  }
}

async function recordsIn(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
  try {
    return await decodeRecordPack(asStream(bytes));
  } catch {
    return [];
  }
}

async function decoded(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await joined(decodePieces(asStream(bytes)));
  } catch {
    return new Uint8Array(0); // no list, then
  }
}
