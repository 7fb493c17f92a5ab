// What a store serves: outputs that were pushed to it. Each is held by a memo of a derivation that nobody has, named for the
// output: so collections treat it as they treat what was built, used last goes last, and no build ever believes it.

import { digestHash, digestOf, type Digest } from '../base/digest.ts';
import { emptyTree, type Node } from '../trees/tree.ts';
import type { RecordWriter, Store } from '../store.ts';

/** An output that is not a symlink. */
export type Top = Exclude<Node, { kind: 'symlink' }>;

/** As much of a hash as tells outputs apart: packs have room for no more of it in their names. */
export const topDigits = 56;

const touchedEveryMs = 10 * 60 * 1000;

export class Holds {
  readonly #store: Pick<Store, 'records'>;
  readonly #touchedMs = new Map<Digest, number>();

  constructor(store: Pick<Store, 'records'>) {
    this.#store = store;
  }

  /** The outputs whose hash begins so: none, one, or a tree and a blob of the same bytes. */
  find(hash: string): readonly Top[] {
    const outputs = this.#store.records.memo(holdKey(hash))?.outputs ?? {};
    return Object.values(outputs).filter((node) => node.kind !== 'symlink');
  }

  /** True when all that a record promises with this node is here. */
  isHeld(node: Node): boolean {
    if (node.kind === 'symlink' || node.digest === emptyTree.digest) return true;
    return this.find(digestHash(node.digest)).some(
      ({ kind, digest }) => kind === node.kind && digest === node.digest,
    );
  }

  /** Holds what is an output as a tree, as a blob, or both; all of it is to be there when this is written. */
  hold(records: RecordWriter, digest: Digest, kinds: readonly Top['kind'][]): void {
    const key = holdKey(digestHash(digest));
    const before = this.find(digestHash(digest)).map(({ kind }) => kind);
    const outputs: Record<string, Top> = {};
    for (const kind of [...before, ...kinds])
      outputs[kind] = kind === 'tree' ? { kind, digest } : { kind, digest, executable: false };
    records.putMemo({ derivation: key, action: key, outputs });
  }

  /** Holds blobs under a key that is no output's. */
  async holdBlobs(key: Digest, digests: readonly Digest[]): Promise<void> {
    const id = holdKey(digestHash(key));
    const outputs = Object.fromEntries(
      digests.map((digest, at) => [`${at}`, { kind: 'blob', digest, executable: false } as const]),
    );
    await this.#store.records.update((records) => records.putMemo({ derivation: id, action: id, outputs }));
  }

  /** True when something is held under this hash, whatever it is of. */
  isKnown(hash: string): boolean {
    return this.#store.records.memo(holdKey(hash)) !== undefined;
  }

  /** Says that it is used now. Many ask for the same: it is written down once in a while. */
  async touch(hash: string): Promise<void> {
    const key = holdKey(hash);
    const nowMs = performance.now();
    if (nowMs - (this.#touchedMs.get(key) ?? -Infinity) < touchedEveryMs) return;
    this.#touchedMs.set(key, nowMs);
    await this.#store.records.update((records) => records.markUsed(key));
  }
}

function holdKey(hash: string): Digest {
  return digestOf(Buffer.from(`cairn served ${hash.slice(0, topDigits)}`));
}
