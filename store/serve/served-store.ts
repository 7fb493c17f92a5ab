// A store of this machine as a shelf for others: what is asked for by name, and what is sent to be kept. Knows no protocol, no
// address and no token.

import { groupedBy } from '../base/grouped-by.ts';
import type { Push, Pushed } from '../caches/cache.ts';
import type { PublicKey } from '../caches/keys.ts';
import { shardOf, shortName, shortSubject, type IndexEntry } from '../caches/record-index.ts';
import { encodeRecordPack } from '../caches/record-pack.ts';
import { shelfFormat } from '../caches/shelf-cache.ts';
import { subjectOf } from '../caches/signed-record.ts';
import { layoutOf } from '../layout.ts';
import type { GcStats, Store } from '../store.ts';
import { EncodedCopies } from './encoded-copies.ts';
import { Holds } from './holds.ts';
import { InFlight } from './in-flight.ts';
import { Intake } from './intake.ts';
import { Refusal } from './refusal.ts';
import { ServedContent } from './served-content.ts';
import { fileOfBytes, type ServedFile } from './served-file.ts';
import type { ServedName } from './served-name.ts';
import { mostIndexBytes, ShelfFiles, type Condition } from './shelf-files.ts';
import { SharedReads } from './shared-reads.ts';
import { SoundFiles } from './sound-files.ts';
import { digestsBelow, holdOutput, takeBlob, takeList, takePack, type TakeContext } from './take-content.ts';
import { takeTrees } from './take-trees.ts';
import { checkRecordPack, checkSignature, mostRecordBytes, outputsOf } from './take-records.ts';

export interface ServedStoreOptions {
  /** Whose records are taken; anybody's when there are none. */
  readonly keys: readonly PublicKey[];
  /** The largest blob that is taken. */
  readonly mostBlobBytes: number;
  /** Of what is sent here, as much is worked on in memory at once; as usual where it is not given. */
  readonly intakeBytes?: number;
  /** Room for what was made to be sent. */
  readonly copiesBytes: number;
  /** The store is kept to it, where it is given. */
  readonly maxBytes?: number;
  /** Told of a collection. */
  readonly onCollected?: (stats: GcStats) => void;
  /** Told why the store cannot be kept to its size. */
  readonly onError?: (error: unknown) => void;
}

const marker = fileOfBytes(Buffer.from(shelfFormat), false);
const mostMarkerBytes = 1024;
const mostLatestBytes = 64;
const usualIntakeBytes = 16 * 1024 * 1024;
/** Of what is read for one, and kept in memory for the next. */
const sharedBytes = 32 * 1024 * 1024;

export class ServedStore {
  readonly holds: Holds;
  readonly inFlight: InFlight;
  readonly sound: SoundFiles;
  readonly reads: SharedReads;
  readonly intake: Intake;
  readonly files: ShelfFiles;
  readonly store: Store;
  readonly #options: ServedStoreOptions;
  readonly #content: ServedContent;
  readonly #taking: TakeContext;
  #collecting: Promise<void> | undefined;

  private constructor(store: Store, options: ServedStoreOptions, scratch: string) {
    this.store = store;
    this.#options = options;
    this.holds = new Holds(store);
    this.inFlight = new InFlight(store, (options.maxBytes ?? Infinity) / 2);
    this.sound = new SoundFiles(store.blobs);
    this.reads = new SharedReads(sharedBytes);
    this.intake = new Intake(scratch, options.intakeBytes ?? usualIntakeBytes);
    const copies = new EncodedCopies(scratch, options.copiesBytes, this.reads);
    const { holds, sound, reads } = this;
    this.#content = new ServedContent({ store, holds, copies, sound, reads });
    this.files = new ShelfFiles(layoutOf(store.path).served);
    this.#taking = {
      store,
      holds: this.holds,
      inFlight: this.inFlight,
      intake: this.intake,
      mostBlobBytes: options.mostBlobBytes,
    };
  }

  static async open(store: Store, options: ServedStoreOptions): Promise<ServedStore> {
    return new ServedStore(store, options, await store.scratch('serve'));
  }

  /** What is under a name; undefined when there is nothing. @throws MissingBlob for what was found to be lost or damaged */
  async find(name: ServedName): Promise<ServedFile | undefined> {
    switch (name.kind) {
      case 'marker':
        return marker;
      case 'content':
        return this.#content.list(name.id);
      case 'packs':
        return this.#content.pack(name.id);
      case 'blobs':
        return this.#content.alone(name.id);
      case 'index':
      case 'records':
      case 'latest':
        return this.files.find(name);
    }
  }

  /** Takes what is sent, looks at it, and only then keeps it. @throws Refusal; UserError `DISK_FULL` */
  async write(name: ServedName, body: AsyncIterable<Uint8Array>, condition: Condition): Promise<void> {
    switch (name.kind) {
      case 'marker':
        if ((await this.#text(body, mostMarkerBytes)) !== shelfFormat)
          throw new Refusal(422, 'this is a cache of another version of cairn');
        return;
      case 'packs':
        await takePack(name.id, body, this.#taking);
        break;
      case 'blobs':
        await takeBlob(name.id, body, this.#taking);
        break;
      case 'content':
        await takeList(name.id, body, this.#taking);
        break;
      case 'records': {
        await using sent = await this.intake.gather(body, mostRecordBytes);
        await checkRecordPack(name.id, sent, { ...this.#rules, intake: this.intake });
        await this.files.keep(name, sent);
        return;
      }
      case 'index': {
        await using sent = await this.intake.gather(body, mostIndexBytes);
        await this.files.writeIndex(name.id, sent, condition);
        return;
      }
      case 'latest': {
        const hash = await this.#text(body, mostLatestBytes);
        if (!/^[0-9a-f]{64}$/.test(hash)) throw new Refusal(422, 'that is no hash');
        await this.files.write(name, Buffer.from(hash));
        return;
      }
    }
    this.keepToSize();
  }

  async #text(body: AsyncIterable<Uint8Array>, mostBytes: number): Promise<string> {
    await using sent = await this.intake.gather(body, mostBytes);
    return (await sent.bytes()).toString('latin1');
  }

  /** Holds what the store has, or what can be read, with what was signed about it. @throws MissingBlob */
  async share({ outputs, records, from }: Push): Promise<Pushed> {
    const fresh = outputs.filter(({ top }) => !this.holds.isHeld(top));
    await this.inFlight.keepSent(fresh.map(({ top }) => top.digest));
    await takeTrees(
      fresh.map(({ top }) => top),
      from,
      this.store,
    );
    await this.store.records.update((write) => {
      for (const { top } of fresh) this.holds.hold(write, top.digest, [top.kind]);
    });
    this.inFlight.release(fresh.map(({ top }) => top.digest));
    return { contents: fresh.length, records: await this.#addRecords(records), sentBytes: 0 };
  }

  /**
   * Takes records whose outputs came before them, by whatever way: those that are not held yet are looked at, and held.
   * @throws Refusal
   */
  async takeRecords(records: readonly Uint8Array[]): Promise<void> {
    const signed = records.map((bytes) => ({ bytes, record: checkSignature(bytes, this.#rules) }));
    const nodes = signed.flatMap(({ record }) => outputsOf(record));
    for (const node of nodes)
      if (node.kind !== 'symlink' && !this.holds.isHeld(node)) await holdOutput(node, this.#taking);
    // From now on it goes when what holds it does: a store that many push to would not be kept to its size otherwise.
    this.inFlight.release(digestsBelow(nodes, this.store));
    await this.#addRecords(
      signed.map(({ bytes, record }) => ({ subject: subjectOf(record.statement), bytes })),
    );
    this.keepToSize();
  }

  /** Nothing goes on behind whoever closes the store. */
  async settled(): Promise<void> {
    await this.#collecting;
  }

  get mostBlobBytes(): number {
    return this.#options.mostBlobBytes;
  }

  get #rules(): { readonly holds: Holds; readonly keys: readonly PublicKey[] } {
    return { holds: this.holds, keys: this.#options.keys };
  }

  async #addRecords(records: Push['records']): Promise<number> {
    const byShard = groupedBy(records, ({ subject }) => shardOf(shortSubject(subject)));
    const fresh: Push['records'][number][] = [];
    for (const [shard, some] of byShard) {
      const known = new Set((await this.files.entries(shard)).map(({ record }) => record));
      fresh.push(...some.filter(({ bytes }) => !known.has(shortName(bytes))));
    }
    if (fresh.length === 0) return 0;
    const bytes = await encodeRecordPack(fresh.map((record) => record.bytes));
    const pack = shortName(bytes);
    await this.files.write({ kind: 'records', id: pack }, bytes);
    const entries = fresh.map((record): IndexEntry => ({
      subject: shortSubject(record.subject),
      record: shortName(record.bytes),
      pack,
    }));
    for (const [shard, some] of groupedBy(entries, ({ subject }) => shardOf(subject)))
      await this.files.addEntries(shard, some);
    return fresh.length;
  }

  /** Collects what was not used for longest if there is too much: one at a time, while others read and write. */
  keepToSize(): void {
    const { maxBytes, onError } = this.#options;
    if (maxBytes === undefined || this.#collecting !== undefined) return;
    this.#collecting = this.#collect(maxBytes)
      .catch((error: unknown) => onError?.(error))
      .finally(() => (this.#collecting = undefined));
  }

  async #collect(maxBytes: number): Promise<void> {
    const stats = await (await this.store.maintenance()).keepToSize(maxBytes);
    if (stats === undefined) return;
    this.#options.onCollected?.(stats);
    await this.files.prune((record) => outputsOf(record).every((node) => this.holds.isHeld(node)));
    await this.files.pruneResults((hash) => this.holds.isKnown(hash));
  }
}
