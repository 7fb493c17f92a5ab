// Content that is sent to be kept: each blob is compared with its digest before anybody sees it, and an output counts only once all
// of it is there. Until then nothing leads to what came, and a collection takes it in time.

import { createHash, type Hash } from 'node:crypto';
import { asStream } from '../base/as-stream.ts';
import { digestHash, digestSize, type Digest } from '../base/digest.ts';
import { UserError } from '../base/errors.ts';
import { exactBytes } from '../base/exact-bytes.ts';
import { decodeContentList, type ContentList } from '../caches/content-list.ts';
import { packedFiles, unpackedBytes } from '../caches/pack.ts';
import { MissingBlob, type Batch, type Store } from '../store.ts';
import { decodeDirectory, emptyTree, type Directory, type Node } from '../trees/tree.ts';
import type { Holds, Top } from './holds.ts';
import type { InFlight } from './in-flight.ts';
import type { Intake } from './intake.ts';
import { Refusal, refusing } from './refusal.ts';
import { sentPieces } from './sent-pieces.ts';
import { stageSent, type SentBlob } from './stage-sent.ts';

const mostListBytes = 64 * 1024 * 1024;

export interface TakeContext {
  readonly store: Store;
  readonly holds: Holds;
  readonly inFlight: InFlight;
  readonly intake: Intake;
  /** The largest blob that is taken. */
  readonly mostBlobBytes: number;
}

type Body = AsyncIterable<Uint8Array>;

/** A pack, named by its hash. @throws Refusal */
export async function takePack(name: string, body: Body, context: TakeContext): Promise<void> {
  const { store, intake } = context;
  const hasher = createHash('sha256');
  await using pack = await intake.gather(sentPieces(hashed(body, hasher), intake), unpackedBytes);
  if (hasher.digest('hex') !== name) throw new Refusal(422, 'the pack is not what its name says');
  await inBatch(store, async (batch) => {
    // Let go before the commit, which may take its time.
    using held = await pack.open();
    const files: SentBlob[] = [];
    for await (const file of refusing(packedFiles(asStream(held.bytes)))) files.push(file);
    await stageSent(files, batch, context);
    return undefined;
  });
}

/** A blob in pieces, named by its own hash. @throws Refusal */
export async function takeBlob(
  hash: string,
  body: Body,
  { store, inFlight, intake, mostBlobBytes }: TakeContext,
): Promise<void> {
  await inBatch(store, async (batch) => {
    const digest = await batch.addStream(bounded(sentPieces(body, intake), mostBlobBytes));
    if (digestHash(digest) !== hash) throw new Refusal(422, 'the blob is not what its name says');
    await inFlight.keepSent([digest]);
    return undefined;
  });
}

/** Says that all of an output is here; which is looked at. @throws Refusal */
export async function takeList(hash: string, body: Body, context: TakeContext): Promise<void> {
  const { store, holds, inFlight } = context;
  const listed = await sentList(body, context);
  await inFlight.keepSent(listed);
  const top = topOf(hash, listed);
  await inBatch(store, async (batch) => {
    const kinds = await kindsOf(top, listed, { batch, store });
    return (records) => holds.hold(records, top, kinds);
  });
  inFlight.release(listed);
}

async function sentList(body: Body, { intake }: TakeContext): Promise<ReadonlySet<Digest>> {
  await using content = await intake.gather(sentPieces(body, intake), mostListBytes);
  using held = await content.open(content.sizeBytes);
  const list = decodeContentList(held.bytes);
  if (list === undefined) throw new Refusal(422, 'that is no list of content');
  return digestsOf(list);
}

/** Holds an output that somebody has said to be here; which is looked at. @throws Refusal */
export async function holdOutput({ kind, digest }: Top, { store, holds }: TakeContext): Promise<void> {
  await inBatch(store, async (batch) => {
    if (digestSize(digest) === 0) addEmpty(batch);
    else if (kind === 'blob' && !store.blobs.has(digest)) throw incomplete(digest);
    if (kind === 'tree' && (await addTrees(digest, { batch, store })) === undefined)
      throw new Refusal(422, 'what should be a directory is none');
    return (records) => holds.hold(records, digest, [kind]);
  });
}

/** All that these hold, themselves included, as far as it is here. */
export function digestsBelow(nodes: readonly Node[], { trees }: Pick<Store, 'trees'>): Set<Digest> {
  const found = new Set<Digest>();
  const pending = [...nodes];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === 'symlink' || found.has(node.digest)) continue;
    found.add(node.digest);
    if (node.kind === 'tree') pending.push(...(trees.get(node.digest)?.values() ?? []));
  }
  return found;
}

type WriteRecords = NonNullable<Parameters<Batch['commit']>[0]>;

async function inBatch(
  store: Store,
  fill: (batch: Batch) => Promise<WriteRecords | undefined>,
): Promise<void> {
  const batch = store.begin({ isWhole: true });
  try {
    const write = await fill(batch);
    await batch.commit(write);
  } catch (error) {
    await batch.discard();
    if (error instanceof MissingBlob) throw incomplete(error.digest);
    throw error;
  }
}

function digestsOf({ packs, alone }: ContentList): Set<Digest> {
  return new Set([...packs.flatMap(({ holds }) => holds), ...alone]);
}

// Nothing is listed below an empty tree, not even itself.
function topOf(hash: string, listed: ReadonlySet<Digest>): Digest {
  const top = [...listed].find((digest) => digestHash(digest) === hash);
  if (top !== undefined) return top;
  if (listed.size === 0 && hash === digestHash(emptyTree.digest)) return emptyTree.digest;
  throw new Refusal(422, 'the list does not name what it is of');
}

// Nothing says what an output is; its bytes and what is listed with it do. Where both are possible, it is held as both.
async function kindsOf(
  top: Digest,
  listed: ReadonlySet<Digest>,
  { batch, store }: { readonly batch: Batch; readonly store: Store },
): Promise<readonly Top['kind'][]> {
  if (listed.size === 0) return ['tree'];
  const directory = await addTrees(top, { batch, store });
  const hasContent = [...(directory?.values() ?? [])].some(
    (node) => node.kind !== 'symlink' && node.digest !== emptyTree.digest,
  );
  const isAlone = listed.size === 1;
  if (directory === undefined && !isAlone) throw new Refusal(422, 'the output is no directory');
  if (!isAlone) return ['tree'];
  const isBlob = store.blobs.has(top);
  if (directory === undefined || hasContent) {
    if (!isBlob) throw incomplete(top);
    return ['blob'];
  }
  return isBlob && digestSize(top) > 0 ? ['tree', 'blob'] : isBlob ? ['blob'] : ['tree'];
}

// Directories came as any other bytes. What the store has as directories has all that is below it.
async function addTrees(
  top: Digest,
  { batch, store }: { readonly batch: Batch; readonly store: Store },
): Promise<Directory | undefined> {
  // Of what was left elsewhere, a directory may be here all the same.
  const isAnyLeft = store.left.any();
  const isWhole = (tree: Digest): boolean => !isAnyLeft && store.trees.get(tree) !== undefined;
  const read = async (tree: Digest): Promise<Directory | undefined> =>
    store.trees.get(tree) ?? directoryIn(await store.blobs.read(tree));
  const first = await read(top);
  if (first === undefined || isWhole(top)) return first;
  const pending = [first];
  batch.addDirectory(first);
  const seen = new Set<Digest>([top]);
  // It grows while it is walked.
  for (const directory of pending)
    for (const node of directory.values()) {
      if (node.kind === 'blob' && digestSize(node.digest) === 0) addEmpty(batch);
      if (node.kind !== 'tree' || seen.has(node.digest) || isWhole(node.digest)) continue;
      seen.add(node.digest);
      const below = await read(node.digest);
      if (below === undefined) throw new Refusal(422, 'what should be a directory is none');
      batch.addDirectory(below);
      pending.push(below);
    }
  return first;
}

// It counts as being everywhere, and nobody sends it.
function addEmpty(batch: Batch): void {
  batch.addBytes(new Uint8Array(0));
}

function directoryIn(bytes: Uint8Array): Directory | undefined {
  try {
    return decodeDirectory(bytes);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function incomplete(digest: Digest): Refusal {
  return new Refusal(422, `it needs ${digest}, which is not here`);
}

async function* hashed(body: Body, hasher: Hash): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) {
    hasher.update(chunk);
    yield chunk;
  }
}

async function* bounded(content: Body, mostBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  let sizeBytes = 0;
  for await (const chunk of content) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > mostBytes)
      throw new Refusal(413, `no blob of more than ${exactBytes(mostBytes)} is taken`);
    yield chunk;
  }
}
