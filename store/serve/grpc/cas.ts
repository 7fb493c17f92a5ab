// A store's content as a Remote Execution API server has it: a directory is a blob like any other. What comes is compared with its
// digest before it is kept; what goes was hashed.

import { exactBytes } from '../../base/exact-bytes.ts';
import { letGo } from '../../base/let-go.ts';
import { digestOf, digestSize, type Digest } from '../../base/digest.ts';
import { ChunkCutter, chunkSizes, usualAverageBytes } from '../../chunking/chunk-cutter.ts';
import { MissingBlob, type Batch, type Store } from '../../store.ts';
import { encodeDirectory } from '../../trees/tree.ts';
import type { InFlight } from '../in-flight.ts';
import type { Intake } from '../intake.ts';
import { Refusal } from '../refusal.ts';
import { fileRange } from '../served-file.ts';
import { partBytes, type SharedReads } from '../shared-reads.ts';
import type { SoundFiles } from '../sound-files.ts';

/** Where a chunk lies that is no blob of its own. */
interface Place {
  readonly blob: Digest;
  readonly offset: number;
}

const rememberedChunks = 200_000;
const smallBytes = 4 << 20;
const empty = digestOf(new Uint8Array(0));

export interface CasContext {
  readonly store: Store;
  readonly inFlight: InFlight;
  readonly intake: Intake;
  readonly sound: SoundFiles;
  readonly reads: SharedReads;
  readonly mostBlobBytes: number;
}

export class Cas {
  readonly #context: CasContext;
  /** Of blobs that were put together or taken apart, told longest ago first. */
  readonly #chunks = new Map<Digest, Place>();

  constructor(context: CasContext) {
    this.#context = context;
  }

  has(digest: Digest): boolean {
    const { blobs, trees } = this.#context.store;
    if (digest === empty || blobs.has(digest) || trees.get(digest) !== undefined) return true;
    const place = this.#chunks.get(digest);
    return place !== undefined && blobs.has(place.blob);
  }

  /** Keeps what is there from collections, for whoever has been told that it is, and may rely on it. */
  keepAsked(digests: readonly Digest[]): Promise<void> {
    return this.#context.inFlight.keepAsked(this.#blobsOf(digests));
  }

  /** The same for whoever would have sent it otherwise. */
  keepSent(digests: readonly Digest[]): Promise<void> {
    return this.#context.inFlight.keepSent(this.#blobsOf(digests));
  }

  // A chunk is kept as part of its blob.
  #blobsOf(digests: readonly Digest[]): readonly Digest[] {
    return digests.map((digest) => this.#chunks.get(digest)?.blob ?? digest);
  }

  /** All bytes. @throws MissingBlob */
  async read(digest: Digest): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for await (const chunk of this.stream(digest, 0, digestSize(digest))) parts.push(chunk);
    return Buffer.concat(parts);
  }

  /** So much of it is in memory at once while it is streamed. */
  piecesOf(digest: Digest): number {
    const sizeBytes = digestSize(digest);
    const isWhole = sizeBytes <= smallBytes || !this.#context.store.blobs.has(digest);
    return isWhole && !this.#chunks.has(digest) ? sizeBytes : partBytes;
  }

  /** From one offset to before another. @throws MissingBlob */
  async *stream(digest: Digest, from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    if (digest === empty) return;
    const { store, sound } = this.#context;
    const directory = store.blobs.has(digest) ? undefined : store.trees.get(digest);
    const place = this.#chunks.get(digest);
    if (directory !== undefined) yield encodeDirectory(directory).subarray(from, to);
    else if (store.blobs.has(digest) && digestSize(digest) <= smallBytes)
      yield (await store.blobs.read(digest)).subarray(from, to);
    else if (store.blobs.has(digest)) yield* this.#range(await sound.path(digest), from, to);
    else if (place !== undefined)
      yield* this.#range(await sound.path(place.blob), place.offset + from, place.offset + to);
    else throw new MissingBlob(digest);
  }

  #range(path: string, from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { sound, reads } = this.#context;
    return fileRange(path, { from, to, key: `${path} ${sound.look(path)}`, reads });
  }

  /** Keeps all that `stage` stages, or none of it. @throws what it throws */
  async addAll(stage: (batch: Batch) => Promise<void>): Promise<void> {
    const batch = this.#context.store.begin();
    try {
      await stage(batch);
      await batch.commit();
    } finally {
      await batch.discard();
    }
  }

  /** @throws Refusal when it is not what its digest says */
  async add(digest: Digest, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    if (digestSize(digest) > this.#context.mostBlobBytes)
      throw new Refusal(413, `no blob of more than ${exactBytes(this.#context.mostBlobBytes)} is taken`);
    const batch = this.#context.store.begin();
    try {
      if ((await batch.addStream(noLongerThan(bytes, digestSize(digest)))) !== digest)
        throw new Refusal(422, `${digest} is not what its digest says`);
      await this.#context.inFlight.keepSent([digest]);
      await batch.commit();
    } finally {
      await batch.discard();
    }
  }

  /** Puts a blob together. @throws Refusal; MissingBlob */
  async splice(digest: Digest, chunks: readonly Digest[]): Promise<void> {
    const sizeBytes = chunks.reduce((sum, chunk) => sum + digestSize(chunk), 0);
    if (sizeBytes !== digestSize(digest))
      throw new Refusal(422, 'the chunks have another size than the blob');
    for (const chunk of chunks) if (!this.has(chunk)) throw new MissingBlob(chunk);
    await this.keepSent(chunks);
    if (!this.has(digest)) await this.add(digest, this.#joined(chunks));
    this.#remember(digest, chunks);
  }

  /** The chunks of a blob. @throws MissingBlob */
  async split(digest: Digest): Promise<readonly Digest[]> {
    const sizes = chunkSizes(usualAverageBytes)!;
    const cutter = new ChunkCutter(sizes, 0);
    const chunks: Digest[] = [];
    let held = Buffer.alloc(0);
    const cut = (length: number): void => {
      chunks.push(digestOf(held.subarray(0, length)));
      held = held.subarray(length);
    };
    const content = this.#context.intake.within(this.piecesOf(digest) + 2 * sizes.maxBytes, () =>
      this.stream(digest, 0, digestSize(digest)),
    );
    for await (const piece of content) {
      held = Buffer.concat([held, piece]);
      for (const length of cutter.push(piece)) cut(length);
    }
    const last = cutter.end();
    if (last !== undefined) cut(last);
    this.#remember(digest, chunks);
    return chunks;
  }

  async *#joined(chunks: readonly Digest[]): AsyncGenerator<Uint8Array, void, undefined> {
    const { intake } = this.#context;
    for (const chunk of chunks) yield* intake.within(this.piecesOf(chunk), () => this.#oneOf(chunk));
  }

  async *#oneOf(chunk: Digest): AsyncGenerator<Uint8Array, void, undefined> {
    const { blobs } = this.#context.store;
    if (!blobs.has(chunk) || digestSize(chunk) > smallBytes) {
      yield* this.stream(chunk, 0, digestSize(chunk));
      return;
    }
    const bytes = await blobs.read(chunk);
    yield bytes;
    letGo(bytes);
  }

  #remember(blob: Digest, chunks: readonly Digest[]): void {
    let offset = 0;
    for (const chunk of chunks) {
      this.#chunks.delete(chunk);
      if (chunk !== blob) this.#chunks.set(chunk, { blob, offset });
      offset += digestSize(chunk);
    }
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunks.size <= rememberedChunks) break;
      this.#chunks.delete(oldest);
    }
  }
}

async function* noLongerThan(
  bytes: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const chunk of bytes) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > mostBytes) throw new Refusal(422, 'more comes than the digest says');
    yield chunk;
  }
}
