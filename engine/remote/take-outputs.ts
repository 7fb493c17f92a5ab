// What a worker made, as nodes in a batch: directories are read and checked, and what of their files is not here is brought, or left
// where it is. Whatever comes is what its digest says, or nothing of it is taken; what is left is there, as the server says when it
// is asked.

import { totalSize } from '../content-below.ts';
import type { LeftThere } from '../execute/remote-run.ts';
import { digestOf, digestSize, type Digest } from '../../store/base/digest.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import {
  decodeDirectory,
  emptyTree,
  type Batch,
  type Blobs,
  type Directory,
  type Node,
} from '../../store/index.ts';
import { ReapiFailure, treeParts, type Executed, type ReapiClient } from '../../store/reapi/index.ts';
import { outputPlace } from './input-root.ts';

export interface TakeContext {
  readonly client: ReapiClient;
  readonly batch: Batch;
  readonly blobs: Blobs;
  readonly signal: AbortSignal;
  /** What describes the outputs' folders. */
  readonly told: ReadonlyMap<Digest, Uint8Array>;
  /** Where files stay; undefined: they come. */
  readonly leftAt: string | undefined;
}

export interface TakenOutputs {
  readonly outputs: Readonly<Record<string, Node>>;
  readonly left: LeftThere;
  /** What came of files. */
  readonly broughtBytes: number;
}

/** What is larger is not held in memory. */
const heldBytes = 1024 * 1024;

type Ended = Extract<Executed, { kind: 'ended' }>;

/** @throws ReapiFailure for what is not what it should be, or is gone; the signal's reason */
export async function takeOutputs(
  names: readonly string[],
  { folders }: Ended,
  context: TakeContext,
): Promise<TakenOutputs> {
  const outputs = mapByName<Node>();
  const files = new Map<Digest, Set<boolean>>();
  for (const name of names) {
    const digest = folders.get(outputPlace(name));
    // One that the step has removed.
    outputs[name] =
      digest === undefined ? emptyTree : addTree(context.told.get(digest)!, context.batch, files);
  }
  if (context.leftAt !== undefined)
    return { outputs, left: await leaveFiles(files.keys(), context.leftAt, context), broughtBytes: 0 };
  const broughtBytes = await bringFiles(files, context);
  return { outputs, left: { files: 0, sizeBytes: 0 }, broughtBytes };
}

// The top's digest follows from its bytes; what it names must have come along.
function addTree(bytes: Uint8Array, batch: Batch, files: Map<Digest, Set<boolean>>): Node {
  const parts = new Map(treeParts(bytes).map((part) => [digestOf(part), part]));
  const [top] = parts.keys();
  const added = new Set<Digest>();
  const open = [top!];
  for (let digest = open.pop(); digest !== undefined; digest = open.pop()) {
    if (digest === emptyTree.digest || added.has(digest)) continue;
    added.add(digest);
    const directory = directoryIn(parts.get(digest));
    batch.addDirectory(directory);
    for (const node of directory.values()) {
      if (node.kind === 'tree') open.push(node.digest);
      else if (node.kind === 'blob')
        files.set(node.digest, (files.get(node.digest) ?? new Set()).add(node.executable));
    }
  }
  return { kind: 'tree', digest: top! };
}

function directoryIn(part: Uint8Array | undefined): Directory {
  if (part === undefined) throw new ReapiFailure('wrong', 'the server left out a folder of an output');
  try {
    return decodeDirectory(part);
  } catch (cause) {
    throw new ReapiFailure('wrong', 'the server gave a folder in a form that is not the canonical one', {
      cause,
    });
  }
}

async function leaveFiles(
  files: Iterable<Digest>,
  place: string,
  { client, batch, blobs, signal }: TakeContext,
): Promise<LeftThere> {
  const absent = [...files].filter((digest) => !blobs.has(digest));
  // It never travels.
  if (absent.some((digest) => digestSize(digest) === 0)) batch.addBytes(new Uint8Array(0));
  const left = absent.filter((digest) => digestSize(digest) > 0);
  for (const digest of await client.missing(left, signal)) throw lostBy(digest);
  for (const digest of left) batch.leave(digest, place);
  return { files: left.length, sizeBytes: totalSize(left) };
}

function lostBy(digest: Digest): ReapiFailure {
  return new ReapiFailure('unavailable', `the server has lost ${digest} of an output`);
}

// A file that is needed with the executable bit and without comes twice, which hardly ever happens.
async function bringFiles(
  files: ReadonlyMap<Digest, ReadonlySet<boolean>>,
  context: TakeContext,
): Promise<number> {
  let sizeBytes = 0;
  for (const executable of [false, true]) {
    const absent = [...files]
      .filter(([digest, forms]) => forms.has(executable) && !context.blobs.has(digest))
      .map(([digest]) => digest);
    await bring(new Set(absent), executable, context);
    sizeBytes += totalSize(absent);
  }
  return sizeBytes;
}

async function bring(
  digests: ReadonlySet<Digest>,
  executable: boolean,
  { client, batch, signal }: TakeContext,
): Promise<void> {
  const open = new Set(digests);
  await client.read(
    digests,
    async (digest, bytes) => {
      const came =
        digestSize(digest) > heldBytes
          ? await batch.addStream(bytes, { executable, signal })
          : batch.addBytes(await joined(bytes), executable);
      if (came !== digest) throw new ReapiFailure('wrong', `the server gave something else for ${digest}`);
      open.delete(digest);
    },
    signal,
  );
  for (const digest of open) throw lostBy(digest);
}

/** Blobs of the server's, whole. @throws ReapiFailure when one is gone */
export async function readAll(
  digests: ReadonlySet<Digest>,
  { client, signal }: Pick<TakeContext, 'client' | 'signal'>,
): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const read = new Map<Digest, Uint8Array>();
  await client.read(digests, async (digest, bytes) => void read.set(digest, await joined(bytes)), signal);
  for (const digest of digests)
    if (!read.has(digest)) throw new ReapiFailure('unavailable', `the server has lost ${digest}`);
  return read;
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
