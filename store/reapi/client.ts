// A Remote Execution API server, as far as blobs, actions and their results go. Everything that is read has been verified, what is
// received has not; whatever fails is a ReapiFailure. Knows nothing of trees, claims or the store.

import { create } from '@bufbuild/protobuf';
import pLimit from 'p-limit';
import { asStream } from '../base/as-stream.ts';
import { digestOf, digestSize, type Digest } from '../base/digest.ts';
import { settleAll } from '../base/settle-all.ts';
import { usualAverageBytes, chunkSizes } from '../chunking/chunk-cutter.ts';
import type { Chunking } from '../chunking/chunks.ts';
import type { Likenesses } from '../chunking/likenesses.ts';
import { abilitiesOf, type ServerAbilities } from './abilities.ts';
import { batchesOf, isSmall, readBatch, receiveBatch, writeBatch } from './batches.ts';
import { readStream, receiveStream, writeStream } from './byte-streams.ts';
import { Channel, type Credentials } from './channel.ts';
import { connectionTo, type Connection } from './connection.ts';
import { digestMessage } from './digests.ts';
import { parseEndpoint } from './endpoint.ts';
import { execute, type ExecuteCall, type Executed } from './execution.ts';
import { ReapiFailure } from './failure.ts';
import { findMissing } from './find-missing.ts';
import {
  ActionCache,
  Capabilities,
  DigestFunction_Value,
  GetActionResultRequestSchema,
  GetCapabilitiesRequestSchema,
  UpdateActionResultRequestSchema,
  type ActionResult,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import { usualPatience, type Patience } from './patience.ts';
import { writeInChunks } from './splices.ts';
import { receiveInChunks } from './splits.ts';

export interface ReapiClientOptions {
  readonly credentials?: Credentials;
  readonly patience?: Partial<Patience>;
  /** Have large blobs travel compressed where the server knows it: not on this machine, when not given. */
  readonly compresses?: boolean;
}

/** Where the bytes of blobs come from; they may be asked for more than once. */
export interface BlobSource {
  read(digest: Digest): Promise<Uint8Array>;
  stream(digest: Digest): AsyncIterable<Uint8Array>;
}

/** Takes a blob; resolves when it has all of it. */
export type TakeBlob = (digest: Digest, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

interface Reading {
  readonly take: TakeBlob;
  readonly readBatch: typeof readBatch;
  readonly readStream: (
    connection: Connection,
    digest: Digest,
    signal: AbortSignal,
  ) => AsyncGenerator<Uint8Array, void, undefined>;
}

/** Messages, and streams, that are under way at once. */
const callsAtOnce = 4;
const noBytes = new Uint8Array(0);
/** Every server has it, and it never travels. */
const emptyBlob = digestOf(noBytes);
const usualChunking: Chunking = { sizes: chunkSizes(usualAverageBytes)!, seed: 0 };

export class ReapiClient {
  readonly #connection: Connection;
  readonly #compresses: boolean;
  #abilities: ServerAbilities | undefined;

  /** Connects when it is first asked. @throws UserError `CACHE_INVALID` */
  constructor(url: string, { credentials = {}, patience = {}, compresses }: ReapiClientOptions = {}) {
    const endpoint = parseEndpoint(url);
    this.#compresses = compresses ?? !endpoint.isOnThisMachine;
    const all = { ...usualPatience, ...patience };
    this.#connection = connectionTo(endpoint, new Channel(endpoint, credentials, all), all);
  }

  close(): void {
    this.#connection.channel.close();
  }

  /** Asked once. @throws ReapiFailure when it is no cache for us; the signal's reason */
  async abilities(signal: AbortSignal): Promise<ServerAbilities> {
    const { channel, instance, attempt, zstd, patience } = this.#connection;
    if (this.#abilities !== undefined) return this.#abilities;
    const question = create(GetCapabilitiesRequestSchema, { instanceName: instance });
    const told = await attempt(signal, () =>
      channel.ask(Capabilities.method.getCapabilities, question, signal, { idleMs: patience.firstMs }),
    );
    this.#abilities ??= abilitiesOf(told);
    zstd.isUsed = this.#compresses && this.#abilities.hasZstd;
    return this.#abilities;
  }

  /** Those that it lacks. @throws ReapiFailure; the signal's reason */
  async missing(digests: Iterable<Digest>, signal: AbortSignal): Promise<Set<Digest>> {
    const asked = new Set(digests);
    asked.delete(emptyBlob);
    return findMissing(this.#connection, asked, signal);
  }

  /**
   * Gives what it has of these, each once, in any order, several at once.
   * @throws ReapiFailure; the signal's reason; what `take` throws
   */
  read(digests: Iterable<Digest>, take: TakeBlob, signal: AbortSignal): Promise<void> {
    return this.#read(digests, { take, readBatch, readStream }, signal);
  }

  /**
   * The same as the server gives them, unverified, for whoever compares what he takes with its digest: once is enough. Of what has
   * likenesses here, only the chunks come that differ, where the server tells them.
   */
  async receive(
    digests: Iterable<Digest>,
    take: TakeBlob,
    signal: AbortSignal,
    likenesses?: Likenesses,
  ): Promise<void> {
    const whole = { take, readBatch: receiveBatch, readStream: receiveStream };
    if (likenesses === undefined) return this.#read(digests, whole, signal);
    const { splits, chunking = usualChunking, batchBytes } = await this.abilities(signal);
    const receive: Reading['readStream'] = (connection, digest, until) =>
      splits && digestSize(digest) > chunking.sizes.maxBytes
        ? receiveInChunks(connection, digest, { likenesses, chunking, batchBytes }, until)
        : receiveStream(connection, digest, until);
    return this.#read(digests, { ...whole, readStream: receive }, signal);
  }

  async #read(digests: Iterable<Digest>, reading: Reading, signal: AbortSignal): Promise<void> {
    const { take } = reading;
    const asked = new Set(digests);
    if (asked.delete(emptyBlob)) await take(emptyBlob, asStream(noBytes));
    if (asked.size === 0) return;
    const { batchBytes } = await this.abilities(signal);
    const small = [...asked].filter((digest) => isSmall(digest, batchBytes));
    const large = [...asked].filter((digest) => !isSmall(digest, batchBytes));
    await inParallel(signal, [
      ...[...batchesOf(small, batchBytes)].map((batch) => async (until: AbortSignal) => {
        const found = await reading.readBatch(this.#connection, batch, until);
        until.throwIfAborted();
        await settleAll([...found].map(([digest, bytes]) => take(digest, asStream(bytes))));
      }),
      ...large.map((digest) => (until: AbortSignal) => this.#readLarge(digest, reading, until)),
    ]);
  }

  async #readLarge(
    digest: Digest,
    { take, readStream: readLarge }: Reading,
    signal: AbortSignal,
  ): Promise<void> {
    const bytes = readLarge(this.#connection, digest, signal);
    const first = await bytes.next().catch((error: unknown) => {
      if (error instanceof ReapiFailure && error.kind === 'absent') return undefined;
      throw error;
    });
    if (first !== undefined) await take(digest, continued(first, bytes));
  }

  /**
   * Brings blobs that it was found to lack. Gives how many bytes were sent.
   * @throws ReapiFailure; the signal's reason; what the source throws
   */
  async write(digests: Iterable<Digest>, source: BlobSource, signal: AbortSignal): Promise<number> {
    const asked = new Set(digests);
    asked.delete(emptyBlob);
    if (asked.size === 0) return 0;
    const { batchBytes, largestBlobBytes } = await this.abilities(signal);
    const tooLarge = [...asked].find((digest) => digestSize(digest) > largestBlobBytes);
    if (tooLarge !== undefined)
      throw new ReapiFailure('full', `it takes no blob of more than ${largestBlobBytes} bytes`);
    const small = [...asked].filter((digest) => isSmall(digest, batchBytes));
    const large = [...asked].filter((digest) => !isSmall(digest, batchBytes));
    let sentBytes = 0;
    await inParallel(signal, [
      ...[...batchesOf(small, batchBytes)].map((batch) => async (until: AbortSignal) => {
        const blobs = new Map<Digest, Uint8Array>();
        for (const digest of batch) blobs.set(digest, await source.read(digest));
        await writeBatch(this.#connection, blobs, until);
        for (const digest of batch) sentBytes += digestSize(digest);
      }),
      ...large.map((digest) => async (until: AbortSignal) => {
        sentBytes += await this.#writeLarge(digest, source, until);
      }),
    ]);
    return sentBytes;
  }

  async #writeLarge(digest: Digest, source: BlobSource, signal: AbortSignal): Promise<number> {
    const { batchBytes, splices, chunking = usualChunking } = await this.abilities(signal);
    const blob = { digest, read: () => source.stream(digest) };
    if (splices && digestSize(digest) > chunking.sizes.maxBytes) {
      try {
        return await writeInChunks(this.#connection, blob, { chunking, batchBytes }, signal);
      } catch (error) {
        if (!(error instanceof ReapiFailure) || !['absent', 'unsupported', 'wrong'].includes(error.kind))
          throw error;
      }
    }
    return writeStream(this.#connection, blob, signal);
  }

  /** Has an action done of which it has all inputs. @throws ReapiFailure; the signal's reason */
  execute(action: Digest, call: ExecuteCall): Promise<Executed> {
    return execute(this.#connection, action, call);
  }

  /** What an action gave, as anybody may have said it; undefined when it knows nothing. @throws ReapiFailure */
  async actionResult(action: Digest, signal: AbortSignal): Promise<ActionResult | undefined> {
    const { channel, instance, attempt } = this.#connection;
    const question = create(GetActionResultRequestSchema, {
      instanceName: instance,
      actionDigest: digestMessage(action),
      digestFunction: DigestFunction_Value.SHA256,
    });
    try {
      return await attempt(signal, () => channel.ask(ActionCache.method.getActionResult, question, signal));
    } catch (error) {
      if (error instanceof ReapiFailure && error.kind === 'absent') return undefined;
      throw error;
    }
  }

  /** Replaces what was said of the action. @throws ReapiFailure */
  async updateActionResult(action: Digest, result: ActionResult, signal: AbortSignal): Promise<void> {
    const { channel, instance, attempt } = this.#connection;
    const question = create(UpdateActionResultRequestSchema, {
      instanceName: instance,
      actionDigest: digestMessage(action),
      actionResult: result,
      digestFunction: DigestFunction_Value.SHA256,
    });
    await attempt(signal, () => channel.ask(ActionCache.method.updateActionResult, question, signal));
  }
}

// The first that fails ends the others; none is left running.
async function inParallel(
  signal: AbortSignal,
  work: readonly ((until: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const ending = new AbortController();
  const until = AbortSignal.any([signal, ending.signal]);
  const limit = pLimit(callsAtOnce);
  let failure: { readonly error: unknown } | undefined;
  const guarded = async (each: (until: AbortSignal) => Promise<void>): Promise<void> => {
    if (failure !== undefined) return;
    try {
      await each(until);
    } catch (error) {
      failure ??= { error };
      ending.abort(error);
    }
  };
  await Promise.all(work.map((each) => limit(() => guarded(each))));
  if ((failure as unknown) !== undefined) throw failure!.error;
}

async function* continued(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (first.done === true) return;
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}
