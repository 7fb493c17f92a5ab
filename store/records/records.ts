// The small durable facts: realisations, memos, lineages, descriptions, durations, roots, cached values, as canonical
// CBOR in LMDB tables. Knows their form, not what they are used for.

import { encodeCbor, readCbor, type CborValue } from '../base/cbor.ts';
import { mapByName } from '../base/map-by-name.ts';
import type { Digest } from '../base/digest.ts';
import { nodeRecords } from './claim.ts';
import type { Database } from './database.ts';
import { decodeRealisation, encodeRealisation } from './realisation-record.ts';
import type { DurableTable } from './table-names.ts';
import type { Lineage, Memo, Realisation, Records, RecordWriter, Root } from '../store.ts';

/** The facts of one store. */
export class LmdbRecords implements Records {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  realisation(action: Digest): Realisation | undefined {
    const bytes = this.#database.table('realisations').get(action);
    return bytes === undefined ? undefined : decodeRealisation(action, bytes);
  }

  memo(derivation: Digest): Memo | undefined {
    const value = this.#read('memos', derivation) as Omit<Memo, 'derivation'> | undefined;
    return value === undefined ? undefined : { ...value, derivation, outputs: outputsOf(value) };
  }

  lineage(name: string): Lineage | undefined {
    return this.#read('lineages', name) as Lineage | undefined;
  }

  description(digest: Digest): CborValue | undefined {
    return this.#read('descriptions', digest) as CborValue | undefined;
  }

  hasDescription(digest: Digest): boolean {
    return this.#database.table('descriptions').doesExist(digest);
  }

  deletions(): string {
    return this.#database.deletions();
  }

  lastUse(derivation: Digest): number | undefined {
    return this.#read('last-uses', derivation) as number | undefined;
  }

  duration(lineage: string): number | undefined {
    return this.#read('durations', lineage) as number | undefined;
  }

  root(name: string): Root | undefined {
    const derivations = this.#read('roots', name) as readonly Digest[] | undefined;
    return derivations === undefined ? undefined : { name, derivations };
  }

  *roots(): Iterable<Root> {
    for (const name of [...this.#database.table('roots').getKeys()]) {
      const root = this.root(name);
      if (root !== undefined) yield root;
    }
  }

  signed(derivation: Digest): readonly Uint8Array[] {
    return (this.#read('signed', derivation) ?? []) as readonly Uint8Array[];
  }

  cached(key: string): CborValue | undefined {
    return this.#read('cached', key) as CborValue | undefined;
  }

  async update(write: (records: RecordWriter) => void): Promise<void> {
    const changes = collectChanges(write);
    if (changes.length > 0) await this.#database.transaction(() => applyChanges(this.#database, changes));
  }

  // What a table holds was written by this file, so its type is known by the table.
  #read(table: DurableTable, key: string): unknown {
    const bytes = this.#database.table(table).get(key);
    return bytes === undefined ? undefined : readCbor(bytes);
  }
}

/** One step of a transaction. All encoding is done before the transaction starts, so that it cannot fail half-way. */
export type Change =
  | { readonly kind: 'put'; readonly table: DurableTable; readonly key: string; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly table: DurableTable; readonly key: string };

/** What `write` wants written, in its order. */
export function collectChanges(write: (records: RecordWriter) => void): Change[] {
  const changes: Change[] = [];
  const putEncoded = (table: DurableTable, key: string, bytes: Uint8Array): void => {
    changes.push({ kind: 'put', table, key, bytes });
  };
  const put = (table: DurableTable, key: string, value: CborValue): void => {
    putEncoded(table, key, encodeCbor(value));
  };
  const markUsed = (derivation: Digest): void => put('last-uses', derivation, Date.now());
  write({
    putRealisation: (realisation) =>
      putEncoded('realisations', realisation.claim.action, encodeRealisation(realisation)),
    putMemo: ({ derivation, action, outputs }, signed) => {
      put('memos', derivation, { action, outputs: nodeRecords(outputs) });
      if (signed === undefined) changes.push({ kind: 'remove', table: 'signed', key: derivation });
      else put('signed', derivation, [...signed]);
      markUsed(derivation);
    },
    markUsed,
    putLineage: (name, { derivation, action }) => put('lineages', name, { derivation, action }),
    putDescription: (digest, description) => put('descriptions', digest, description),
    putEncodedDescription: (digest, bytes) => putEncoded('descriptions', digest, bytes),
    putDuration: (lineage, durationMs) => put('durations', lineage, Math.round(durationMs)),
    putRoot: ({ name, derivations }) => put('roots', name, derivations),
    removeRoot: (name) => changes.push({ kind: 'remove', table: 'roots', key: name }),
    putCached: (key, value) => put('cached', key, value),
  });
  return changes;
}

/** Writes changes. To be called inside a transaction. */
export function applyChanges(database: Database, changes: readonly Change[]): void {
  for (const change of changes) {
    const table = database.table(change.table);
    if (change.kind === 'put') void table.put(change.key, change.bytes);
    else void table.remove(change.key);
  }
}

function outputsOf({ outputs }: Pick<Memo, 'outputs'>): Memo['outputs'] {
  return mapByName(Object.entries(outputs));
}
