// Another order of directory entries, for finding steps that depend on it. A file system lists entries in an order of
// its own; an overlay of two halves lists those of the lower half first.

import type { Digest } from '../../store/base/digest.ts';
import { MissingBlob, type Batch, type Node, type Store } from '../../store/index.ts';

/** Splits trees into halves with all folders and every other file; remembers which it has split. */
export class ReaddirOrder {
  readonly #store: Store;
  readonly #halves = new Map<Digest, Promise<readonly [lower: Digest, higher: Digest]>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Two trees whose overlay is `tree`. @throws MissingBlob */
  split(tree: Digest): Promise<readonly [lower: Digest, higher: Digest]> {
    const known = this.#halves.get(tree);
    if (known !== undefined) return known;
    const halves = this.#split(tree);
    this.#halves.set(tree, halves);
    // Lost content is built again, and asked for again.
    halves.catch(() => this.#halves.delete(tree));
    return halves;
  }

  async #split(tree: Digest): Promise<readonly [lower: Digest, higher: Digest]> {
    const batch = this.#store.begin();
    try {
      const halves = [this.#half(tree, 0, batch), this.#half(tree, 1, batch)] as const;
      // Nothing else names them.
      await this.#store.use(halves);
      await batch.commit();
      return halves;
    } finally {
      await batch.discard();
    }
  }

  #half(tree: Digest, parity: number, batch: Batch): Digest {
    const directory = this.#store.trees.get(tree);
    if (directory === undefined) throw new MissingBlob(tree);
    const half = new Map<string, Node>();
    for (const [name, node] of directory) {
      if (node.kind === 'tree')
        half.set(name, { kind: 'tree', digest: this.#half(node.digest, parity, batch) });
      else if (parityOf(name) === parity) half.set(name, node);
    }
    return batch.addDirectory(half);
  }
}

function parityOf(name: string): number {
  let sum = 0;
  for (let at = 0; at < name.length; at++) sum += name.charCodeAt(at);
  return sum % 2;
}
