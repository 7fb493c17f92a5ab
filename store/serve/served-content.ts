// A store's content as the files of a shelf: lists and packs are made from Merkle nodes and blobs when they are asked for. What is
// small is verified when it is read for a pack; of a large blob that turns out damaged on its way nobody gets the end.

import { createHash } from 'node:crypto';
import { digestHash, digestSize, type Digest } from '../base/digest.ts';
import { encodeContentList } from '../caches/content-list.ts';
import { encodePack, largeBytes, type PackedFile } from '../caches/pack.ts';
import { encodePieces, joined } from '../caches/pieces.ts';
import { MissingBlob, type Store } from '../store.ts';
import { encodeDirectory } from '../trees/tree.ts';
import type { EncodedCopies } from './encoded-copies.ts';
import type { Holds } from './holds.ts';
import { listContent, topOfPack, type Listing } from './listing.ts';
import { plainPieces, plainSize } from './plain-pieces.ts';
import { fileOfBytes, type ServedFile } from './served-file.ts';
import type { SharedReads } from './shared-reads.ts';
import type { SoundFiles } from './sound-files.ts';

interface Listed {
  readonly listing: Listing;
  readonly list: ServedFile;
  readonly size: number;
}

/** Of all lists that are remembered: each entry is a digest. */
const rememberedEntries = 300_000;

/** Hashing more takes longer than clients wait. */
const awaitedBytes = 128 * 1024 * 1024;

export interface ServedContentContext {
  readonly store: Store;
  readonly holds: Holds;
  readonly copies: EncodedCopies;
  readonly sound: SoundFiles;
  readonly reads: SharedReads;
}

export class ServedContent {
  readonly #store: Store;
  readonly #holds: Holds;
  readonly #copies: EncodedCopies;
  readonly #sound: SoundFiles;
  readonly #reads: SharedReads;
  /** Files that are hashed while they are sent. */
  readonly #hashing = new Set<string>();
  /** By the beginning of the output's hash, used longest ago first. */
  readonly #lists = new Map<string, Promise<Listed | undefined>>();
  readonly #largeDirectories = new Map<string, Digest>();
  #entries = 0;
  #deletions: string | undefined;

  constructor({ store, holds, copies, sound, reads }: ServedContentContext) {
    this.#reads = reads;
    this.#store = store;
    this.#holds = holds;
    this.#copies = copies;
    this.#sound = sound;
  }

  /** The list of what is below an output that is held. */
  async list(hash: string): Promise<ServedFile | undefined> {
    const listed = await this.#listed(hash);
    if (listed !== undefined) await this.#holds.touch(hash);
    return listed?.list;
  }

  async pack(name: string): Promise<ServedFile | undefined> {
    const listed = await this.#listed(topOfPack(name));
    const digests = listed?.listing.packs.get(name);
    if (listed === undefined || digests === undefined) return undefined;
    return this.#copies.file(name, async () =>
      encodePack(await Promise.all(digests.map((digest) => this.#packed(digest, listed.listing)))),
    );
  }

  /** A blob, or a directory of an output that was listed, on its own. */
  async alone(hash: string): Promise<ServedFile | undefined> {
    const blob = this.#store.blobs.withHash(hash);
    if (blob !== undefined) return this.#blobFile(blob);
    const digest = this.#largeDirectories.get(hash);
    const directory = digest && this.#store.trees.get(digest);
    if (directory === undefined) return undefined;
    return fileOfBytes(await joined(encodePieces([encodeDirectory(directory)])), true);
  }

  async #listed(hash: string): Promise<Listed | undefined> {
    await this.#forgetDeleted();
    const key = topOfPack(hash);
    const found = this.#lists.get(key) ?? this.#list(key);
    this.#lists.delete(key);
    this.#lists.set(key, found);
    const listed = await found.catch((error: unknown) => {
      this.#lists.delete(key);
      throw error;
    });
    if (listed === undefined) this.#lists.delete(key);
    return listed;
  }

  async #list(key: string): Promise<Listed | undefined> {
    const tops = this.#holds.find(key);
    if (tops.length === 0) return undefined;
    const listing = await listContent(key, tops, this.#store);
    if (listing === undefined) return undefined;
    const { packs, alone, directories } = listing;
    for (const digest of directories)
      if (digestSize(digest) >= largeBytes) this.#largeDirectories.set(digestHash(digest), digest);
    const named = [...packs].map(([name, holds]) => ({ name, holds }));
    const encoded = encodeContentList({ packs: named, alone });
    const list = fileOfBytes(await joined(encodePieces([encoded])), false);
    const size = named.reduce((sum, { holds }) => sum + holds.length, alone.length);
    await this.#makeRoom(size);
    return { listing, list, size };
  }

  async #makeRoom(entries: number): Promise<void> {
    this.#entries += entries;
    for (const [key, found] of [...this.#lists]) {
      if (this.#entries <= rememberedEntries) return;
      const listed = await Promise.race([found, Promise.resolve(undefined)]);
      if (listed === undefined || !this.#lists.delete(key)) continue;
      this.#entries -= listed.size;
    }
  }

  // What a collection has taken may be listed still, by whomever it was made.
  async #forgetDeleted(): Promise<void> {
    const deletions = this.#store.records.deletions();
    if (deletions === this.#deletions) return;
    const isFirst = this.#deletions === undefined;
    this.#deletions = deletions;
    if (isFirst) return;
    this.#lists.clear();
    this.#entries = 0;
    this.#largeDirectories.clear();
    await this.#copies.clear();
  }

  async #packed(digest: Digest, { directories }: Listing): Promise<PackedFile> {
    if (!directories.has(digest)) return { digest, bytes: await this.#store.blobs.read(digest) };
    const directory = this.#store.trees.get(digest);
    if (directory === undefined) throw new MissingBlob(digest);
    return { digest, bytes: encodeDirectory(directory) };
  }

  async #blobFile(digest: Digest): Promise<ServedFile> {
    const path = await this.#store.blobs.unaltered(digest);
    const sizeBytes = plainSize(digestSize(digest));
    return {
      sizeBytes,
      tag: digestHash(digest).slice(0, 32),
      isFixed: true,
      chunks: (from, to) =>
        from === 0 && to === sizeBytes ? this.#whole(digest, path) : this.#part(digest, from, to),
    };
  }

  async *#whole(digest: Digest, path: string): AsyncGenerator<Uint8Array, void, undefined> {
    const to = plainSize(digestSize(digest));
    // Who comes while another is sent it for the first time waits until it has been hashed once, for all who do.
    if (this.#hashing.has(path) && digestSize(digest) <= awaitedBytes)
      return yield* this.#part(digest, 0, to);
    const seen = this.#sound.look(path);
    const range = { sizeBytes: digestSize(digest), from: 0, to, ...this.#shared(path, seen) };
    if (this.#sound.isKnown(path)) return yield* plainPieces(path, range);
    const hasher = createHash('sha256');
    const damage = { isFound: false };
    const onContent = (content: readonly Uint8Array[], isLast: boolean): void => {
      for (const block of content) hasher.update(block);
      if (isLast) damage.isFound = hasher.digest('hex') !== digestHash(digest);
    };
    this.#hashing.add(path);
    try {
      for await (const piece of plainPieces(path, { ...range, onContent })) {
        if (damage.isFound) await this.#setAside(digest);
        yield piece;
      }
      this.#sound.remember(path, seen);
    } finally {
      this.#hashing.delete(path);
    }
  }

  async *#part(digest: Digest, from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    const path = await this.#sound.path(digest);
    const shared = this.#shared(path, this.#sound.look(path));
    yield* plainPieces(path, { sizeBytes: digestSize(digest), from, to, ...shared });
  }

  #shared(path: string, seen: string | undefined): { readonly key: string; readonly reads: SharedReads } {
    return { key: `${path} ${seen}`, reads: this.#reads };
  }

  // @throws MissingBlob
  async #setAside(digest: Digest): Promise<void> {
    await this.#store.blobs.verified(digest);
    throw new Error('a file of the store was altered while it was read');
  }
}
