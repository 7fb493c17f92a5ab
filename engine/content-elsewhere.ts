// What one build knows about steps and content elsewhere: it wonders while it plans, asks in batches between plans, and brings
// content that is missed before whoever made it is run again. A source that fails or lies is as good as none.

import pLimit from 'p-limit';
import { digestOf, digestSize, type Digest } from '../store/base/digest.ts';
import { UserError } from '../store/base/errors.ts';
import { exactBytes } from '../store/base/exact-bytes.ts';
import {
  MissingBlob,
  decodeDirectory,
  type Batch,
  type BlobNode,
  type Claim,
  type Directory,
  type Node,
  type RecordWriter,
  type Store,
  type TreeNode,
} from '../store/index.ts';
import { contentBelow } from './content-below.ts';
import type { ContentSource, FoundClaim, FoundMemo } from './content-source.ts';
import type { Outputs } from './events.ts';
import { likenessesIn, type Succession } from './likenesses.ts';

export interface ElsewhereOptions {
  readonly store: Store;
  /** None on a machine that knows of no other. */
  readonly source: ContentSource | undefined;
  readonly signal: AbortSignal;
  /** Told what is worth a line: that a source is given up for this build, and why. */
  readonly onNotice: (message: string) => void;
}

/** What is smaller is not written before all of it is known. */
const heldBytes = 1024 * 1024;

export interface Bringing {
  readonly outputs: Iterable<Outputs>;
  /** No files but these; all that are missing, when not given. */
  readonly only?: ReadonlySet<Digest> | undefined;
  /** Of some of these, what they come after: what large files have in common with it need not come again. */
  readonly successions?: readonly Succession[];
  /** Written together with the content, when all of it has come or is here. */
  readonly record?: (records: RecordWriter, directoryOf: (digest: Digest) => Directory | undefined) => void;
  readonly onProgress?: (doneBytes: number) => void;
}

export class ContentElsewhere {
  readonly #options: ElsewhereOptions;
  #source: ContentSource | undefined;
  readonly #memos = new Wondering<FoundMemo>();
  readonly #claims = new Wondering<FoundClaim>();
  readonly #contents = new Wondering<true>();
  /** What was left elsewhere and is relied on, though nobody was asked for it yet. */
  readonly #hoped = new Set<Digest>();
  /** Outputs that content was wondered about in. */
  readonly #tops = new Set<Digest>();
  /** Each is brought once: what gets lost again is not worth another try. */
  readonly #brought = new Set<Digest>();
  readonly #oneByOne = pLimit(1);

  constructor(options: ElsewhereOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#source?.begin();
  }

  /** What others have made of a derivation, as far as it is known. Of what is not, {@link learn} asks. */
  memo(derivation: Digest): FoundMemo | undefined {
    return this.#source && this.#memos.get(derivation);
  }

  /** What others have made of an action, likewise. */
  claim(action: Digest): FoundClaim | undefined {
    return this.#source && this.#claims.get(action);
  }

  /** With the next question, what others have made of these is asked as well: whoever has the answer takes no more of it than it says. */
  wonderAbout(actions: Iterable<Digest>): void {
    for (const action of actions) this.claim(action);
  }

  /** What others were heard to say of actions that gave something else here. Asks nobody. */
  contradictions(
    made: (action: Digest) => Claim['outputs'] | undefined,
  ): ReturnType<ContentSource['contradictions']> {
    return this.#options.source?.contradictions(made) ?? [];
  }

  /** True when content is known to be there. */
  mayBeHad(digest: Digest): boolean {
    return this.#source !== undefined && this.#contents.get(digest) === true;
  }

  /**
   * True when nobody has what was left elsewhere. It is relied on until {@link learn} has asked for it; what it is in is for
   * {@link lookIn} to be told.
   */
  isGone(digest: Digest): boolean {
    if (this.#source === undefined) return true;
    if (this.#contents.get(digest) === true) return false;
    if (this.#contents.isAnswered(digest)) return true;
    this.#hoped.add(digest);
    return false;
  }

  /** Others have just got these, or been seen to have them. */
  areThere(digests: Iterable<Digest>): void {
    for (const digest of digests) {
      this.#contents.know(digest, true);
      this.#brought.delete(digest);
    }
  }

  /** Content that is wondered about is likely to be found where these are. */
  lookIn(outputs: Iterable<Outputs>): void {
    for (const named of outputs)
      for (const node of Object.values(named)) if (node.kind !== 'symlink') this.#tops.add(node.digest);
  }

  /**
   * Asks for all that was wondered about. True when some of it is to be had, or gone that was relied on, so that a plan may come out
   * otherwise.
   */
  async learn(): Promise<boolean> {
    const answers = [
      await this.#ask(this.#memos, (source, wondered, signal) => source.memos(wondered, signal)),
      await this.#ask(this.#claims, (source, wondered, signal) => source.claims(wondered, signal)),
      await this.#learnContents(),
    ];
    const isAnyGone = [...this.#hoped].some((digest) => this.isGone(digest));
    this.#hoped.clear();
    return isAnyGone || answers.some((isNew) => isNew);
  }

  // Where nothing is said of where to look, each may be an output itself.
  #learnContents(nodes?: readonly Node[]): Promise<boolean> {
    return this.#ask(this.#contents, async (source, wondered, signal) => {
      const tops =
        nodes === undefined
          ? [...this.#tops, ...[...wondered].filter((digest) => !this.#hoped.has(digest))]
          : nodes.flatMap((node) => (node.kind === 'symlink' ? [] : [node.digest]));
      const has = await source.has(wondered, new Set(tops), signal);
      return new Map([...has].map((digest) => [digest, true]));
    });
  }

  /**
   * Brings what is missing below these, as far as it can be had; one such wish after the other. True when some of it has come;
   * with `record`, when all of it is here then.
   */
  bring(bringing: Bringing): Promise<boolean> {
    if (this.#source === undefined) return Promise.resolve(false);
    const outputs = [...bringing.outputs];
    this.lookIn(outputs);
    return this.#oneByOne(() => this.#bring({ ...bringing, outputs }));
  }

  async #bring({ outputs, only, successions = [], record, onProgress }: Bringing): Promise<boolean> {
    const nodes = [...outputs].flatMap((named) => Object.values(named));
    const taking: Taking = {
      batch: this.#options.store.begin(),
      only,
      successions,
      here: new Map(),
      taken: new Set(),
      onProgress,
    };
    const { batch, taken } = taking;
    try {
      // Directories that come may lead to more.
      for (
        let missing = this.#missing(nodes, taking);
        missing.length > 0;
        missing = this.#missing(nodes, taking)
      ) {
        for (const { digest } of missing) this.#contents.get(digest);
        await this.#learnContents(nodes);
        for (const { digest } of missing) this.#brought.add(digest);
        await this.#take(
          missing.filter(({ digest }) => this.#contents.get(digest) === true),
          taking,
        );
      }
      const isWhole = this.#absent(nodes, taking).every(({ digest }) => taken.has(digest));
      if (record === undefined ? taken.size === 0 : !isWhole) return this.#giveBack(taken);
      await batch.commit((records) => record?.(records, (digest) => batch.directory(digest)));
      return true;
    } catch (error) {
      // A directory has come, and not all that is below it: with holes nothing is taken.
      if (error instanceof MissingBlob) return this.#giveBack(taken);
      throw error;
    } finally {
      await batch.discard();
    }
  }

  // What came to nothing may be part of something else that is whole.
  #giveBack(taken: ReadonlySet<Digest>): false {
    for (const digest of taken) this.#brought.delete(digest);
    return false;
  }

  /** Content that others have of these outputs and that is not here, in bytes; undefined where that cannot be told. */
  async missingBytes(outputs: Iterable<Outputs>): Promise<number | undefined> {
    const { store } = this.#options;
    const missing = new Set<Digest>();
    for (const node of [...outputs].flatMap((named) => Object.values(named))) {
      if (node.kind === 'symlink') continue;
      const below = await this.#attempt((source, signal) => source.below(node.digest, signal));
      if (below === undefined) return undefined;
      for (const digest of below)
        if (!store.blobs.has(digest) && store.trees.get(digest) === undefined) missing.add(digest);
    }
    return [...missing].reduce((sum, digest) => sum + digestSize(digest), 0);
  }

  #missing(nodes: readonly Node[], taking: Taking): (BlobNode | TreeNode)[] {
    const { only } = taking;
    return this.#absent(nodes, taking).filter(
      ({ kind, digest }) => !this.#brought.has(digest) && (kind === 'tree' || only?.has(digest) !== false),
    );
  }

  #absent(nodes: readonly Node[], { batch, here }: Taking): (BlobNode | TreeNode)[] {
    return [...contentBelow(nodes, (digest) => batch.directory(digest))].filter(
      ({ kind, digest }) => kind === 'tree' || !this.#isHere(digest, here),
    );
  }

  // Trees are walked again with each level that comes: every file is looked for once.
  #isHere(digest: Digest, here: Taking['here']): boolean {
    const known = here.get(digest) ?? this.#options.store.blobs.has(digest);
    here.set(digest, known);
    return known;
  }

  async #take(nodes: readonly (BlobNode | TreeNode)[], taking: Taking): Promise<void> {
    if (nodes.length === 0) return;
    const { batch, taken, successions, onProgress } = taking;
    const likenesses = likenessesIn(successions, this.#options.store, (digest) => batch.directory(digest));
    const wanted = new Map(nodes.map((node) => [node.digest, node]));
    let doneBytes = 0;
    await this.#attempt((source, signal) =>
      source.read(
        new Set(wanted.keys()),
        async (digest, bytes) => {
          const node = wanted.get(digest);
          if (node === undefined) return;
          await takeOne(node, bytes, { batch, signal });
          taken.add(digest);
          onProgress?.((doneBytes += digestSize(digest)));
        },
        signal,
        likenesses,
      ),
    );
  }

  async #ask<Value>(
    wondering: Wondering<Value>,
    ask: (
      source: ContentSource,
      wondered: ReadonlySet<Digest>,
      signal: AbortSignal,
    ) => Promise<ReadonlyMap<Digest, Value>>,
  ): Promise<boolean> {
    const wondered = wondering.take();
    if (this.#source === undefined || wondered.size === 0) return false;
    const found = await this.#attempt((source, signal) => ask(source, wondered, signal));
    return wondering.learn(found ?? new Map(), wondered);
  }

  // A source that cannot be relied on is not asked again.
  async #attempt<T>(ask: (source: ContentSource, signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const source = this.#source;
    const { signal, onNotice } = this.#options;
    if (source === undefined) return undefined;
    try {
      return await ask(source, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The disk is full: that is ours.
      if (error instanceof UserError) throw error;
      this.#source = undefined;
      onNotice(
        `${source.name} is not asked any more: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    } finally {
      for (const message of source.notices()) onNotice(message);
    }
  }
}

interface Taking {
  readonly batch: Batch;
  readonly only: Bringing['only'];
  readonly successions: readonly Succession[];
  /** Files that were looked for in the store, and whether they were there. */
  readonly here: Map<Digest, boolean>;
  /** What has come and was what it should be. */
  readonly taken: Set<Digest>;
  readonly onProgress: Bringing['onProgress'];
}

/** Answers by what they are about, and what was asked in vain or not asked yet. */
class Wondering<Value> {
  #wondered = new Set<Digest>();
  readonly #asked = new Set<Digest>();
  readonly #answered = new Set<Digest>();
  readonly #known = new Map<Digest, Value>();

  get(digest: Digest): Value | undefined {
    if (!this.#asked.has(digest)) this.#wondered.add(digest);
    return this.#known.get(digest);
  }

  isAnswered(digest: Digest): boolean {
    return this.#answered.has(digest);
  }

  know(digest: Digest, value: Value): void {
    this.#asked.add(digest);
    this.#wondered.delete(digest);
    this.#answered.add(digest);
    this.#known.set(digest, value);
  }

  /** What to ask for. It is not wondered about again. */
  take(): ReadonlySet<Digest> {
    const wondered = this.#wondered;
    this.#wondered = new Set();
    for (const digest of wondered) this.#asked.add(digest);
    return wondered;
  }

  learn(found: ReadonlyMap<Digest, Value>, wondered: ReadonlySet<Digest>): boolean {
    for (const digest of wondered) this.#answered.add(digest);
    for (const [digest, value] of found) if (this.#asked.has(digest)) this.#known.set(digest, value);
    return found.size > 0;
  }
}

async function takeOne(
  node: BlobNode | TreeNode,
  chunks: AsyncIterable<Uint8Array>,
  to: Into,
): Promise<void> {
  const bytes = bounded(chunks, digestSize(node.digest));
  if ((await addTo(to, node, bytes)) !== node.digest)
    throw new Error(`it gave something else for ${node.digest}`);
}

interface Into {
  readonly batch: Batch;
  readonly signal: AbortSignal;
}

async function addTo(
  { batch, signal }: Into,
  node: BlobNode | TreeNode,
  bytes: AsyncIterable<Uint8Array>,
): Promise<Digest> {
  if (node.kind === 'tree') return addDirectory(await joined(bytes), batch);
  const { executable } = node;
  if (digestSize(node.digest) > heldBytes) return batch.addStream(bytes, { executable, signal });
  return batch.addBytesAside(await joined(bytes), executable);
}

// Whoever does not keep to a size might never end.
async function* bounded(chunks: AsyncIterable<Uint8Array>, mostBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > mostBytes) throw new Error(`it gave more than the ${exactBytes(mostBytes)} asked for`);
    yield chunk;
  }
}

function addDirectory(bytes: Uint8Array, batch: Batch): Digest {
  try {
    return batch.addDirectory(decodeDirectory(bytes));
  } catch (cause) {
    throw new Error(`it gave something that is no directory (${digestOf(bytes)})`, { cause });
  }
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
