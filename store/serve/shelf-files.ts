// The small files of a served shelf that are kept as they came: records, their index, and what is newest. Whoever writes an index
// adds to what is there, or is told that it changed meanwhile.

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { FolderShelf } from '../caches/folder-shelf.ts';
import { formatEntries, parseEntries, shards, type IndexEntry } from '../caches/record-index.ts';
import { decodeRecordPack } from '../caches/record-pack.ts';
import { decodeSignedRecord, type SignedRecord } from '../caches/signed-record.ts';
import type { Gathered } from './intake.ts';
import { Refusal } from './refusal.ts';
import { fileOfBytes, type ServedFile } from './served-file.ts';
import { formatServedName, type ServedName } from './served-name.ts';

const { signal } = new AbortController();
/** Not a part of a shelf: nobody asks for it by name. */
const resultsFolder = 'results';
export const mostIndexBytes = 64 * 1024 * 1024;

/** What has to be so for a text to be replaced, by the tags that were sent. */
export interface Condition {
  readonly match?: string;
  readonly isAbsent?: boolean;
}

export class ShelfFiles {
  readonly #folder: string;
  readonly #shelf: FolderShelf;
  /** One index is written by one at a time. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
    this.#shelf = new FolderShelf(folder);
  }

  async find(name: ServedName): Promise<ServedFile | undefined> {
    const bytes = await this.#read(formatServedName(name));
    return bytes && fileOfBytes(bytes, name.kind === 'records');
  }

  async write(name: ServedName, bytes: Uint8Array): Promise<void> {
    const content = { sizeBytes: bytes.byteLength, chunks: () => [bytes] };
    await this.#shelf.write(formatServedName(name), content, signal);
  }

  /** Keeps what was sent as it came. */
  async keep(name: ServedName, sent: Gathered): Promise<void> {
    const { sizeBytes } = sent;
    await this.#shelf.write(formatServedName(name), { sizeBytes, chunks: () => sent.chunks() }, signal);
  }

  /** Replaces an index by one with more lines. @throws Refusal */
  async writeIndex(shard: string, sent: Gathered, condition: Condition): Promise<void> {
    // Before it is anybody's turn: whoever has a turn waits for no room.
    using held = await sent.open(2 * sent.sizeBytes);
    const text = held.bytes.toString('latin1');
    await this.#alone(async () => {
      const name = `index/${shard}`;
      const before = await this.#read(name);
      const file = before && fileOfBytes(before, false);
      const former = before?.toString('latin1') ?? '';
      const fails =
        (condition.match !== undefined && condition.match !== `"${file?.tag}"`) ||
        (condition.isAbsent === true && file !== undefined);
      if (fails || !text.startsWith(former)) throw new Refusal(412, 'others have added to it meanwhile');
      const added = text.slice(former.length);
      const entries = parseEntries(added);
      if (added !== formatEntries(entries) || entries.some(({ subject }) => subject[0] !== shard))
        throw new Refusal(422, 'those are no lines of this index');
      await this.#checkPacks(entries);
      await this.#shelf.append(name, added);
    });
  }

  /** Adds lines. */
  async addEntries(shard: string, entries: readonly IndexEntry[]): Promise<void> {
    await this.#alone(() => this.#shelf.append(`index/${shard}`, formatEntries(entries)));
  }

  async entries(shard: string): Promise<readonly IndexEntry[]> {
    return parseEntries((await this.#read(`index/${shard}`))?.toString('latin1') ?? '');
  }

  /** Takes away packs of records of which none is to be kept, and all lines that name what is not there. */
  async prune(isKept: (record: SignedRecord) => boolean): Promise<void> {
    await this.#alone(async () => {
      const packs = new Set<string>();
      for (const pack of await this.#names('records')) {
        if ((await this.#recordsOf(pack)).some(isKept)) packs.add(pack);
        else await rm(join(this.#folder, 'records', pack), { force: true });
      }
      for (const shard of shards) {
        const entries = await this.entries(shard);
        const left = entries.filter(({ pack }) => packs.has(pack));
        if (left.length < entries.length)
          await this.write({ kind: 'index', id: shard }, Buffer.from(formatEntries(left)));
      }
    });
  }

  /** The names of all packs of records. */
  packs(): Promise<readonly string[]> {
    return this.#names('records');
  }

  /** The records of a pack; none when it is damaged, or gone. */
  async records(pack: string): Promise<readonly Uint8Array[]> {
    const found = await this.#shelf.read(`records/${pack}`, signal);
    if (found === undefined) return [];
    try {
      return await decodeRecordPack(found);
    } catch {
      return [];
    }
  }

  /** What somebody keeps here as the result of an action, by the action's hash. */
  result(hash: string): Promise<Uint8Array | undefined> {
    return this.#read(`${resultsFolder}/${hash}`);
  }

  async writeResult(hash: string, bytes: Uint8Array): Promise<void> {
    const content = { sizeBytes: bytes.byteLength, chunks: () => [bytes] };
    await this.#shelf.write(`${resultsFolder}/${hash}`, content, signal);
  }

  async pruneResults(isKept: (hash: string) => boolean): Promise<void> {
    for (const hash of await this.#names(resultsFolder))
      if (!isKept(hash)) await rm(join(this.#folder, resultsFolder, hash), { force: true });
  }

  async #recordsOf(pack: string): Promise<readonly SignedRecord[]> {
    return (await this.records(pack)).flatMap((bytes) => decodeSignedRecord(bytes) ?? []);
  }

  async #checkPacks(entries: readonly IndexEntry[]): Promise<void> {
    for (const pack of new Set(entries.map((entry) => entry.pack)))
      if (!(await this.#shelf.has(`records/${pack}`)))
        throw new Refusal(422, 'it names records that are not here');
  }

  async #names(folder: string): Promise<readonly string[]> {
    try {
      return (await readdir(join(this.#folder, folder))).filter((name) => !name.endsWith('.part'));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  }

  async #read(name: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#folder, name));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#writing.then(work);
    this.#writing = mine.catch(() => undefined);
    return mine;
  }
}
