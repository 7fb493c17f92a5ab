// A cache on a shelf: files that any web server can serve. The README has the layout. Knows no key and believes nothing: what it
// gives is verified by whoever takes it.

import { setMaxListeners } from 'node:events';
import pLimit from 'p-limit';
import { asStream } from '../base/as-stream.ts';
import { digestHash, type Digest } from '../base/digest.ts';
import { UserError } from '../base/errors.ts';
import { settleAll } from '../base/settle-all.ts';
import { MissingBlob } from '../store.ts';
import type { Cache, CacheDamage, CacheUpkeep, Push, Pushed, Take } from './cache.ts';
import { decodeContentList, type ContentList } from './content-list.ts';
import { describeFailure } from './describe-failure.ts';
import { decodePack, type PackedFile } from './pack.ts';
import { decodePieces, joined } from './pieces.ts';
import {
  formatEntries,
  parseEntries,
  shardOf,
  shards,
  shortSubject,
  type IndexEntry,
} from './record-index.ts';
import { decodeRecordPack } from './record-pack.ts';
import type { Shelf } from './shelf.ts';
import { ShelfPush } from './shelf-push.ts';

export const shelfMarker = 'cairn-cache';
export const shelfFormat = '1\n';

/** Requests at once: enough to fill a line, few enough for any server. */
const requestsAtOnce = 12;
/** Each is held in memory while it is read. */
const packsAtOnce = 4;
const mostListBytes = 64 * 1024 * 1024;
/** More are not read about one subject: of a name there is one for each time that it came to something else. */
const mostRecords = 100;
/** Small ones are read again and again on the way down a tree. */
const rememberedBytes = 64 * 1024 * 1024;

/** Where a blob or a directory lies. */
type Place = { readonly pack: string } | 'alone';

export class ShelfCache implements Cache {
  readonly name: string;
  readonly #shelf: Shelf;
  readonly #requests = pLimit(requestsAtOnce);
  readonly #packs = pLimit(packsAtOnce);
  readonly #shards = new Map<string, Promise<readonly IndexEntry[]>>();
  readonly #recordPacks = new Map<string, Promise<readonly Uint8Array[]>>();
  readonly #lists = new Map<string, Promise<ContentList | undefined>>();
  readonly #places = new Map<Digest, Place>();
  /** Bytes that came along with others. */
  readonly #remembered = new Map<Digest, Uint8Array>();
  #rememberedSize = 0;
  #isThere: Promise<boolean> | undefined;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.name = shelf.name;
  }

  async records(subjects: ReadonlySet<Digest>, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    if (subjects.size === 0 || !(await this.#isCache(signal))) return [];
    const wanted = new Set([...subjects].map(shortSubject));
    const needed = new Set([...wanted].map(shardOf));
    const entries = await Promise.all([...needed].map((shard) => this.#shard(shard, signal)));
    const seen = new Set<string>();
    const packs = new Set<string>();
    const counts = new Map<string, number>();
    // The newest are the last.
    for (const { subject, record, pack } of entries.flat().reverse()) {
      const count = counts.get(subject) ?? 0;
      if (!wanted.has(subject) || seen.has(record) || count >= mostRecords) continue;
      counts.set(subject, count + 1);
      seen.add(record);
      packs.add(pack);
    }
    return (await Promise.all([...packs].reverse().map((pack) => this.#recordPack(pack, signal)))).flat();
  }

  async has(
    digests: ReadonlySet<Digest>,
    tops: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<Digest>> {
    if (digests.size === 0 || !(await this.#isCache(signal))) return new Set();
    const unknown = [...digests].some((digest) => !this.#places.has(digest));
    if (unknown) await Promise.all([...tops].map((top) => this.#list(digestHash(top), signal)));
    return new Set([...digests].filter((digest) => this.#places.has(digest)));
  }

  async below(top: Digest, signal: AbortSignal): Promise<ReadonlySet<Digest> | undefined> {
    if (!(await this.#isCache(signal))) return undefined;
    const list = await this.#list(digestHash(top), signal);
    return list && new Set([...list.packs.flatMap(({ holds }) => holds), ...list.alone]);
  }

  async read(digests: ReadonlySet<Digest>, take: Take, signal: AbortSignal): Promise<void> {
    const byPack = new Map<string, Set<Digest>>();
    const alone: Digest[] = [];
    for (const digest of digests) {
      const remembered = this.#remembered.get(digest);
      const place = this.#places.get(digest);
      if (remembered !== undefined) await take(digest, asStream(remembered));
      else if (place === 'alone') alone.push(digest);
      else if (place !== undefined) addTo(byPack, place.pack, digest);
    }
    const ended = new AbortController();
    const all = AbortSignal.any([signal, ended.signal]);
    setMaxListeners(0, all); // every file that is read listens: many are no leak
    const work = [
      ...[...byPack].map(([pack, wanted]) => this.#packs(() => this.#readPack(pack, wanted, take, all))),
      ...alone.map((digest) => this.#requests(() => this.#readAlone(digest, take, all))),
    ];
    try {
      await Promise.all(work);
    } finally {
      // The first that fails ends the others, and nothing goes on behind the caller's back.
      ended.abort();
      await Promise.allSettled(work);
    }
  }

  async push(push: Push, signal: AbortSignal): Promise<Pushed> {
    try {
      if (!(await this.#isCache(signal))) {
        const marker = Buffer.from(shelfFormat);
        await this.#shelf.write(
          shelfMarker,
          { sizeBytes: marker.byteLength, chunks: () => [marker] },
          signal,
        );
        this.#isThere = Promise.resolve(true);
      }
      const knows = {
        list: (hash: string) => this.#list(hash, signal),
        entries: async () =>
          (await Promise.all(shards.map((shard) => this.#freshShard(shard, signal)))).flat(),
      };
      return await new ShelfPush(this.#shelf, push, { knows, requests: this.#requests, signal }).done();
    } catch (error) {
      throw this.#failed(error, signal);
    } finally {
      this.#forget();
    }
  }

  // Where content lies stays known: what has that name is never anything else.
  readonly forget = (): void => {
    this.#forget();
    this.#isThere = undefined;
  };

  readonly upkeep: CacheUpkeep = {
    verify: async (signal) => {
      if (!(await this.#isCache(signal))) throw new Error('there is no cache');
      const { ShelfVerification } = await import('./verify-shelf.ts');
      return new ShelfVerification(this.#shelf, signal).done();
    },
    mend: async ({ damages }, push, signal) => {
      try {
        return await this.#mend(damages, push, signal);
      } catch (error) {
        throw this.#failed(error, signal);
      } finally {
        this.#forget();
      }
    },
  };

  // Lists that promise what is damaged go first: whatever becomes of the rest, nobody is led to it any more.
  async #mend(
    damages: readonly CacheDamage[],
    push: Omit<Push, 'records'>,
    signal: AbortSignal,
  ): Promise<Pushed> {
    const content = damages.filter((damage) => damage.kind === 'content');
    const lost = new Set(damages.flatMap((damage) => (damage.kind === 'records' ? damage.records : [])));
    for (const shard of shards) {
      const entries = await this.#freshShard(shard, signal);
      const left = entries.filter(({ record }) => !lost.has(record));
      if (left.length === entries.length) continue;
      const bytes = Buffer.from(formatEntries(left));
      await this.#shelf.write(
        `index/${shard}`,
        { sizeBytes: bytes.byteLength, chunks: () => [bytes] },
        signal,
      );
    }
    const lists = new Set(content.flatMap((damage) => damage.lists));
    for (const hash of lists) await this.#shelf.remove(`content/${hash}`, signal);
    this.#forget();
    const knows = {
      list: (hash: string) => (lists.has(hash) ? Promise.resolve(undefined) : this.#list(hash, signal)),
      entries: () => Promise.resolve([]),
    };
    const damaged = new Set(content.map(({ name }) => name));
    const options = { knows, requests: this.#requests, signal, damaged };
    return new ShelfPush(this.#shelf, { ...push, records: [] }, options).done();
  }

  #forget(): void {
    this.#lists.clear();
    this.#shards.clear();
  }

  #failed(error: unknown, signal: AbortSignal): unknown {
    signal.throwIfAborted();
    if (error instanceof UserError || error instanceof MissingBlob) return error;
    return new UserError(
      'CACHE_FAILED',
      `${this.name} did not take what was pushed: ${describeFailure(error)}`,
      {
        hint: 'What it has of it by now does no harm; push again when it can be written to.',
        fault: 'environment',
        cause: error,
      },
    );
  }

  // Whatever is at the place may be something else, or of a version that this cairn does not know.
  #isCache(signal: AbortSignal): Promise<boolean> {
    this.#isThere ??= this.#readMarker(signal);
    this.#isThere.catch(() => (this.#isThere = undefined));
    return this.#isThere;
  }

  async #readMarker(signal: AbortSignal): Promise<boolean> {
    const found = await this.#shelf.read(shelfMarker, signal);
    if (found === undefined) return false;
    const format = (await joined(found, 1024)).toString();
    if (format === shelfFormat) return true;
    throw new Error('it is no cache, or one of another version of cairn');
  }

  #shard(shard: string, signal: AbortSignal): Promise<readonly IndexEntry[]> {
    return remember(this.#shards, shard, () => this.#freshShard(shard, signal));
  }

  #freshShard(shard: string, signal: AbortSignal): Promise<readonly IndexEntry[]> {
    return this.#requests(async () => {
      const found = await this.#shelf.read(`index/${shard}`, signal);
      return found === undefined ? [] : parseEntries((await joined(found, mostListBytes)).toString('latin1'));
    });
  }

  #recordPack(pack: string, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    return remember(this.#recordPacks, pack, () =>
      this.#requests(async () => {
        const found = await this.#shelf.read(`records/${pack}`, signal);
        return found === undefined ? [] : decodeRecordPack(found);
      }),
    );
  }

  #list(hash: string, signal: AbortSignal): Promise<ContentList | undefined> {
    return remember(this.#lists, hash, () =>
      this.#requests(async () => {
        const found = await this.#shelf.read(`content/${hash}`, signal);
        if (found === undefined) return undefined;
        const list = decodeContentList(await joined(decodePieces(found), mostListBytes));
        if (list === undefined) throw new Error(`content/${hash} is no list of content`);
        for (const { name, holds } of list.packs)
          for (const digest of holds) if (!this.#places.has(digest)) this.#places.set(digest, { pack: name });
        for (const digest of list.alone) this.#places.set(digest, 'alone');
        return list;
      }),
    );
  }

  async #readPack(name: string, wanted: ReadonlySet<Digest>, take: Take, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const found = await this.#shelf.read(`packs/${name}`, signal);
    if (found === undefined) throw new Error(`packs/${name} is gone`);
    const left = new Set(wanted);
    const files: PackedFile[] = [];
    for await (const file of decodePack(found)) {
      if (left.delete(file.digest)) files.push(file);
      else this.#remember(file.digest, file.bytes);
    }
    await settleAll(files.map(({ digest, bytes }) => take(digest, asStream(bytes))));
    if (left.size > 0) throw new Error(`packs/${name} does not hold all that it should`);
  }

  async #readAlone(digest: Digest, take: Take, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const found = await this.#shelf.read(`blobs/${digestHash(digest)}`, signal);
    if (found === undefined) throw new Error(`blobs/${digestHash(digest)} is gone`);
    await take(digest, decodePieces(found));
  }

  #remember(digest: Digest, bytes: Uint8Array): void {
    if (this.#rememberedSize + bytes.byteLength > rememberedBytes || this.#remembered.has(digest)) return;
    this.#rememberedSize += bytes.byteLength;
    this.#remembered.set(digest, bytes);
  }
}

// What fails is asked for again by whoever asks next.
function remember<K, V>(known: Map<K, Promise<V>>, key: K, find: () => Promise<V>): Promise<V> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = find();
  known.set(key, found);
  found.catch(() => known.delete(key));
  return found;
}

function addTo(sets: Map<string, Set<Digest>>, key: string, digest: Digest): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(digest));
}
