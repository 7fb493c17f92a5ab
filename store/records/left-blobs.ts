// Which blobs never came here, and where they were left: one record for each, written with the directories that name it, and taken
// away when the blob comes. So what is not here and has none is lost. Knows nothing of who may be asked for them.

import { encodeCbor, readCbor } from '../base/cbor.ts';
import { digestSize, type Digest } from '../base/digest.ts';
import type { Database } from './database.ts';
import type { LeftAt, LeftBlobs } from '../store.ts';

export class StoredLeftBlobs implements LeftBlobs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  any(): boolean {
    for (const _ of this.#database.table('left').getKeys({ limit: 1 })) return true;
    return false;
  }

  has(digest: Digest): boolean {
    return this.#database.table('left').doesExist(digest);
  }

  placeOf(digest: Digest): string | undefined {
    const bytes = this.#database.table('left').get(digest);
    return bytes === undefined ? undefined : (readCbor(bytes) as string);
  }
}

/** To be called inside a transaction, as {@link forgetLeft} is. */
export function noteLeft(database: Database, digest: Digest, place: string): void {
  void database.table('left').put(digest, encodeCbor(place));
}

/** Of blobs that are here, or that nothing names any more. */
export function forgetLeft(database: Database, digests: Iterable<Digest>): void {
  const table = database.table('left');
  for (const digest of digests) if (table.doesExist(digest)) void table.remove(digest);
}

/** How much was left where: of these, or of all. */
export function leftByPlace(
  database: Database,
  isMeant: (digest: Digest) => boolean = () => true,
): readonly LeftAt[] {
  const places = new Map<string, { files: number; sizeBytes: number }>();
  for (const { key, value } of database.table('left').inspect()) {
    const digest = key as Digest;
    if (value === undefined || !isMeant(digest)) continue; // damaged, which is reported as such
    const place = readCbor(value) as string;
    const sum = places.get(place) ?? { files: 0, sizeBytes: 0 };
    sum.files++;
    sum.sizeBytes += digestSize(digest);
    places.set(place, sum);
  }
  return [...places].map(([place, sum]) => ({ place, ...sum }));
}
