// What one build knows about content elsewhere: it wonders while it plans, asks in batches between plans, and brings content
// that is missed before whoever made it is run again. A source that fails or lies is as good as none.

import { digestOf, digestSize, type Digest } from '../store/base/digest.ts';
import { UserError } from '../store/base/errors.ts';
import {
  MissingBlob,
  decodeDirectory,
  type Batch,
  type BlobNode,
  type Node,
  type Store,
  type TreeNode,
} from '../store/index.ts';
import { contentBelow } from './content-below.ts';
import type { ContentSource } from './content-source.ts';
import type { Outputs } from './events.ts';

export interface ElsewhereOptions {
  readonly store: Store;
  /** None on a machine that knows of no other. */
  readonly source: ContentSource | undefined;
  readonly signal: AbortSignal;
  /** Told once when the source is given up for this build, and why. */
  readonly onGivenUp: (message: string) => void;
}

export class ContentElsewhere {
  readonly #options: ElsewhereOptions;
  #source: ContentSource | undefined;
  /** Not here, and nobody was asked yet. */
  #wondered = new Set<Digest>();
  readonly #asked = new Set<Digest>();
  readonly #there = new Set<Digest>();
  /** Each is brought once: what gets lost again is not worth another try. */
  readonly #brought = new Set<Digest>();

  constructor(options: ElsewhereOptions) {
    this.#options = options;
    this.#source = options.source;
  }

  /** True when it is known to be there. Of what is not known, {@link learn} asks. */
  mayBeHad(digest: Digest): boolean {
    if (this.#source === undefined) return false;
    if (!this.#asked.has(digest)) this.#wondered.add(digest);
    return this.#there.has(digest);
  }

  /** Asks for all that was wondered about. True when some of it is to be had, so that a plan may come out otherwise. */
  async learn(): Promise<boolean> {
    const wondered = this.#wondered;
    this.#wondered = new Set();
    for (const digest of wondered) this.#asked.add(digest);
    if (this.#source === undefined || wondered.size === 0) return false;
    const found = await this.#attempt(async (source, signal) => source.has(wondered, signal));
    for (const digest of found ?? []) if (wondered.has(digest)) this.#there.add(digest);
    return found !== undefined && found.size > 0;
  }

  /** Brings what is missing below these, as far as it can be had. True when some of it has come. */
  async bring(outputs: Iterable<Outputs>): Promise<boolean> {
    if (this.#source === undefined) return false;
    const nodes = [...outputs].flatMap((named) => Object.values(named));
    const batch = this.#options.store.begin();
    let hasCome = false;
    try {
      // Directories that come may lead to more.
      for (
        let missing = this.#missing(nodes, batch);
        missing.length > 0;
        missing = this.#missing(nodes, batch)
      ) {
        for (const { digest } of missing) this.mayBeHad(digest);
        await this.learn();
        for (const node of missing) {
          this.#brought.add(node.digest);
          if (this.#there.has(node.digest) && (await this.#take(node, batch))) hasCome = true;
        }
      }
      if (hasCome) await batch.commit();
      return hasCome;
    } catch (error) {
      // A directory has come, and not all that is below it: with holes nothing is taken.
      if (error instanceof MissingBlob) return false;
      throw error;
    } finally {
      await batch.discard();
    }
  }

  #missing(nodes: readonly Node[], batch: Batch): (BlobNode | TreeNode)[] {
    const { blobs } = this.#options.store;
    return [...contentBelow(nodes, (digest) => batch.directory(digest))].filter(
      ({ kind, digest }) => !this.#brought.has(digest) && (kind === 'tree' || !blobs.has(digest)),
    );
  }

  async #take(node: BlobNode | TreeNode, batch: Batch): Promise<boolean> {
    const taken = await this.#attempt(async (source, signal) => {
      const chunks = bounded(source.read(node.digest, signal), digestSize(node.digest));
      const digest =
        node.kind === 'blob'
          ? await batch.addStream(chunks, { executable: node.executable, signal })
          : await addDirectory(chunks, batch);
      if (digest !== node.digest) throw new Error(`it gave something else for ${node.digest}`);
      return true;
    });
    return taken === true;
  }

  // A source that cannot be relied on is not asked again.
  async #attempt<T>(ask: (source: ContentSource, signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const source = this.#source;
    const { signal, onGivenUp } = this.#options;
    if (source === undefined) return undefined;
    try {
      return await ask(source, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The disk is full: that is ours.
      if (error instanceof UserError) throw error;
      this.#source = undefined;
      onGivenUp(
        `${source.name} is not asked any more: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    }
  }
}

// Whoever does not keep to a size might never end.
async function* bounded(chunks: AsyncIterable<Uint8Array>, mostBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > mostBytes)
      throw new Error(`it gave more than the ${mostBytes} bytes that were asked for`);
    yield chunk;
  }
}

async function addDirectory(chunks: AsyncIterable<Uint8Array>, batch: Batch): Promise<Digest> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const bytes = Buffer.concat(parts);
  try {
    return batch.addDirectory(decodeDirectory(bytes));
  } catch (cause) {
    throw new Error(`it gave something that is no directory (${digestOf(bytes)})`, { cause });
  }
}
