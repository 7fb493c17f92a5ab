// A served store over the Remote Execution API: content, results of actions, and what the server can do. Reading is for everybody,
// or for who shows a token; writing always is for who shows one. Executes nothing.

import { once } from 'node:events';
import { createServer, type AddressInfo, type ListenOptions, type Server as Listener } from 'node:net';
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { digestSize, parseDigest, type Digest } from '../../base/digest.ts';
import { UserError } from '../../base/errors.ts';
import { largestWindowBytes, zstdContent } from '../../caches/zstd-stream.ts';
import { usualAverageBytes } from '../../chunking/chunk-cutter.ts';
import { digestIn, digestMessage } from '../../reapi/digests.ts';
import { ReapiFailure } from '../../reapi/failure.ts';
import * as reapi from '../../reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import {
  ByteStream,
  ReadRequestSchema,
  WriteRequestSchema,
  type WriteRequest,
} from '../../reapi/messages/google/bytestream/bytestream_pb.ts';
import type { Connections } from '../connections.ts';
import { holderOf, type Token } from '../http/tokens.ts';
import type { Gathered } from '../intake.ts';
import { Refusal, refusing } from '../refusal.ts';
import type { ServedStore } from '../served-store.ts';
import { stageSent, type SentBlob } from '../stage-sent.ts';
import type { Call } from './call.ts';
import { Cas } from './cas.ts';
import { Door } from './door.ts';
import { RecordBook } from './record-book.ts';
import { Results } from './results.ts';
import { AnswerRoom, deflated, frameBytes, sendAll } from './sending.ts';
import { statusOf } from './statuses.ts';

export interface ReapiServiceOptions {
  readonly tokens: readonly Token[];
  readonly isPrivate: boolean;
  /** Those of this door are from now on among them. */
  readonly connections: Connections;
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array };
  readonly onError?: (error: unknown) => void;
}

/** What a message holds at most, and what of it is content. */
const messageBytes = (4 << 20) + (64 << 10);
const batchBytes = 4 << 20;
/** What clients are told of that: each message has to be done within their patience, however many send at once. */
const toldBatchBytes = 1 << 20;
/** What a blob takes in a message beside its bytes, at most. */
const aroundBlobBytes = 200;
/** What is known of an action, with what was signed about it. */
const usualResultBytes = 16 << 10;
/** A question is held as it came and as what was read in it; digests in an answer are no more than three times what asked for them. */
const questionShare = 4;
/** Questions of no more than this are not counted. */
const smallQuestionBytes = 16 << 10;

type Right = 'read' | 'write';

/** How a call is answered that its head allows: it sends what there is to send. */
interface Method {
  readonly right: Right;
  readonly answer: (call: Call) => Promise<void>;
}

export class ReapiService {
  readonly #served: ServedStore;
  readonly #options: ReapiServiceOptions;
  readonly #cas: Cas;
  readonly #book: RecordBook;
  readonly #results: Results;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #door: Door;
  readonly #listener: Listener;
  #port = 0;

  private constructor(served: ServedStore, options: ReapiServiceOptions) {
    this.#served = served;
    this.#options = options;
    const { store, inFlight, sound, reads, mostBlobBytes, files, intake } = served;
    this.#cas = new Cas({ store, inFlight, intake, sound, reads, mostBlobBytes });
    this.#book = new RecordBook(files);
    this.#results = new Results(served, this.#cas, this.#book);
    this.#methods = new Map(this.#allMethods());
    const { tls, connections } = options;
    const onCall = (call: Call): void => void this.#answer(call);
    this.#door = new Door({ intake, messageBytes, onCall, ...(tls && { tls }) });
    this.#listener = createServer();
    connections.watch(this.#listener);
    this.#listener.on('connection', (socket) => this.#door.admit(socket));
  }

  /** @throws UserError `CACHE_INVALID` when it cannot listen there */
  static async listen(
    served: ServedStore,
    address: Pick<ListenOptions, 'host' | 'port'>,
    options: ReapiServiceOptions,
  ): Promise<ReapiService> {
    const own = new ReapiService(served, options);
    await own.#book.refresh();
    try {
      own.#listener.listen({ ...address, backlog: 2048 });
      await once(own.#listener, 'listening');
      own.#port = (own.#listener.address() as AddressInfo).port;
    } catch (cause) {
      await own.#door.stop(0);
      const where = `${address.host}:${address.port}`;
      throw new UserError('CACHE_INVALID', `cannot listen at ${where}: ${(cause as Error).message}`, {
        hint: 'Name another address with --grpc HOST:PORT.',
        fault: 'environment',
        cause,
      });
    }
    return own;
  }

  get port(): number {
    return this.#port;
  }

  /** Takes nothing new, and ends when what runs has ended, or after so long. */
  async stop(graceMs: number): Promise<void> {
    this.#listener.close();
    await this.#door.stop(graceMs);
  }

  *#allMethods(): Generator<[path: string, method: Method]> {
    const cas = reapi.ContentAddressableStorage.method;
    const actions = reapi.ActionCache.method;
    yield this.#unary(reapi.Capabilities.method.getCapabilities, 'read', () =>
      Promise.resolve(this.#capabilities()),
    );
    yield this.#unary(cas.findMissingBlobs, 'read', (question, room) => this.#findMissing(question, room));
    yield [pathOf(cas.batchUpdateBlobs), { right: 'write', answer: (call) => this.#batchUpdate(call) }];
    yield this.#unary(cas.batchReadBlobs, 'read', (question, room) => this.#batchRead(question, room));
    yield this.#unary(cas.splitBlob, 'read', async ({ blobDigest }, room) => {
      const chunks = await this.#cas.split(digestOf(blobDigest));
      await room.reach(chunks.length * aroundBlobBytes);
      return {
        chunkDigests: chunks.map(digestMessage),
        chunkingFunction: reapi.ChunkingFunction_Value.FAST_CDC_2020,
      };
    });
    yield this.#unary(cas.spliceBlob, 'write', async ({ blobDigest, chunkDigests }) => {
      await this.#cas.splice(digestOf(blobDigest), chunkDigests.map(digestOf));
      this.#served.keepToSize();
      return { blobDigest: blobDigest! };
    });
    yield this.#unary(actions.getActionResult, 'read', async ({ actionDigest }, room) => {
      await room.reach(usualResultBytes);
      const result = await this.#results.get(digestOf(actionDigest));
      if (result === undefined) throw new Refusal(404, 'nothing is known of this action');
      return result;
    });
    yield [
      pathOf(actions.updateActionResult),
      { right: 'write', answer: (call) => this.#updateResult(call) },
    ];
    yield this.#unary(ByteStream.method.queryWriteStatus, 'write', ({ resourceName }) => {
      const { digest } = written(resourceName);
      const complete = this.#cas.has(digest);
      return Promise.resolve({ complete, committedSize: complete ? BigInt(digestSize(digest)) : 0n });
    });
    yield [pathOf(ByteStream.method.read), { right: 'read', answer: (call) => this.#read(call) }];
    yield [pathOf(ByteStream.method.write), { right: 'write', answer: (call) => this.#write(call) }];
  }

  async #answer(call: Call): Promise<void> {
    try {
      const method = this.#methods.get(call.path);
      if (method === undefined) throw new Refusal(501, 'this is not done here');
      this.#allow(call.authorization, method.right);
      await method.answer(call);
      call.end({ code: status.OK, details: 'OK' });
    } catch (error) {
      // Whoever has gone is told nothing, and nothing is wrong here.
      if (!call.over.aborted) call.end(this.#failure(error));
    }
  }

  #unary<Input extends DescMessage, Output extends DescMessage>(
    method: DescMethodUnary<Input, Output>,
    right: Right,
    answer: (question: MessageShape<Input>, room: AnswerRoom) => Promise<MessageInitShape<Output>>,
  ): [path: string, method: Method] {
    const { input, output } = method;
    const answered = async (call: Call): Promise<void> => {
      const room = new AnswerRoom(call, this.#options.connections);
      await using sent = await this.#question(call);
      let result: MessageInitShape<Output>;
      if (right === 'read') {
        if (sent.sizeBytes > smallQuestionBytes) await room.reach(questionShare * sent.sizeBytes);
        result = await answer(decoded(input, await sent.bytes()), room);
      } else {
        // Let go before it is acted on: what that takes asks for room of its own.
        result = await answer(await openedQuestion(input, sent), room);
      }
      room.answered();
      await call.send(toBinary(output, create(output, result)));
    };
    return [pathOf(method), { right, answer: answered }];
  }

  async #read(call: Call): Promise<void> {
    const room = new AnswerRoom(call, this.#options.connections);
    await using sent = await this.#question(call);
    const { resourceName, readOffset, readLimit } = decoded(ReadRequestSchema, await sent.bytes());
    const { digest, isCompressed } = readable(resourceName);
    const sizeBytes = digestSize(digest);
    if (readOffset < 0n || readLimit < 0n || readOffset > BigInt(sizeBytes))
      throw new Refusal(422, 'there is nothing at this offset');
    const from = Number(readOffset);
    const to = readLimit === 0n ? sizeBytes : Math.min(sizeBytes, from + Number(readLimit));
    const read = this.#cas.piecesOf(digest);
    const bytes = this.#bytesOf(digest, from, to);
    room.answered();
    await sendAll(call, isCompressed ? deflated(bytes) : bytes, {
      room,
      sizeBytes,
      pieceBytes: isCompressed ? Math.max(read, frameBytes) : read,
    });
  }

  async #write(call: Call): Promise<void> {
    const free = this.#occupy(call);
    const messages = writesIn(call, this.#options.connections);
    try {
      const first = await messages.next();
      if (first.done === true) throw new Refusal(422, 'nothing was sent');
      const { digest, isCompressed } = written(first.value.resourceName);
      const came = { bytes: 0n };
      const isKnown = this.#cas.has(digest);
      // What is done with it when all has come takes its time, and the client has nothing to do meanwhile.
      const bytes = bytesIn(first.value, messages, came, free);
      // Whoever has it already need not take it.
      if (isKnown) await this.#cas.keepSent([digest]);
      else await (isCompressed ? this.#addCompressed(digest, bytes) : this.#cas.add(digest, bytes));
      this.#served.keepToSize();
      const compressed = isKnown ? -1n : came.bytes;
      const committedSize = isCompressed ? compressed : BigInt(digestSize(digest));
      const { output } = ByteStream.method.write;
      await call.send(toBinary(output, create(output, { committedSize })));
    } finally {
      await messages.return();
      free();
    }
  }

  // What unpacks it takes memory until its end: all of it has to be here.
  async #addCompressed(digest: Digest, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const { intake } = this.#served;
    const sizeBytes = digestSize(digest);
    await using sent = await intake.gather(bytes, compressedBytes(sizeBytes));
    const inflated = (): AsyncIterable<Uint8Array> => refusing(zstdContent(sent.chunks(), sizeBytes));
    await this.#cas.add(digest, intake.within(Math.min(largestWindowBytes, sizeBytes), inflated));
  }

  /** The only message of a call. Whoever asks has to send it, or is cut off. @throws Refusal */
  async #question(call: Call): Promise<Gathered> {
    const free = this.#occupy(call);
    try {
      const sent = await call.next();
      if (sent === undefined) throw new Refusal(422, 'nothing was sent');
      const more = await call.next();
      if (more === undefined) return sent;
      await sent[Symbol.asyncDispose]();
      await more[Symbol.asyncDispose]();
      throw new Refusal(422, 'more was sent than one message');
    } finally {
      free();
    }
  }

  /** Whose call this is has to send something, until what this gives is called. */
  #occupy(call: Call): () => void {
    const free = this.#options.connections.busy(call.ends);
    let isFree = false;
    return () => {
      if (!isFree) free();
      isFree = true;
    };
  }

  async #findMissing({ blobDigests }: reapi.FindMissingBlobsRequest, room: AnswerRoom) {
    await room.reach(blobDigests.length * aroundBlobBytes);
    await this.#book.refresh();
    const digests = blobDigests.map(digestOf);
    const missing = digests.filter((digest) => !this.#has(digest));
    const absent = new Set(missing);
    await this.#cas.keepAsked(digests.filter((digest) => !absent.has(digest)));
    return { missingBlobDigests: missing.map(digestMessage) };
  }

  // The answer is what was sent. It is read anew when there is room for it, so that whoever waits for that has nothing in memory.
  async #updateResult(call: Call): Promise<void> {
    const room = new AnswerRoom(call, this.#options.connections);
    const { input, output } = reapi.ActionCache.method.updateActionResult;
    await using sent = await this.#question(call);
    {
      using held = await sent.open((questionShare - 1) * sent.sizeBytes);
      const { actionDigest, actionResult } = decoded(input, held.bytes);
      if (actionResult === undefined) throw new Refusal(422, 'there is no result');
      await this.#results.put(digestOf(actionDigest), actionResult);
    }
    await this.#book.refresh();
    if (sent.sizeBytes > smallQuestionBytes) await room.reach(questionShare * sent.sizeBytes);
    const { actionResult } = decoded(input, await sent.bytes());
    room.answered();
    await call.send(toBinary(output, actionResult!));
  }

  async #batchUpdate(call: Call): Promise<void> {
    const { input, output } = reapi.ContentAddressableStorage.method.batchUpdateBlobs;
    await using sent = await this.#question(call);
    const digests: Digest[] = [];
    await this.#cas.addAll(async (batch) => {
      // Let go before the commit, which may take its time.
      using held = await sent.open();
      const blobs = blobsIn(decoded(input, held.bytes));
      await stageSent(blobs, batch, this.#served);
      for (const { digest } of blobs) digests.push(digest);
    });
    this.#served.keepToSize();
    const answer = {
      responses: digests.map((digest) => ({ digest: digestMessage(digest), status: { code: status.OK } })),
    };
    await call.send(toBinary(output, create(output, answer)));
  }

  async #batchRead({ digests }: reapi.BatchReadBlobsRequest, room: AnswerRoom) {
    const all = digests.map(digestOf);
    const total = all.reduce((sum, digest) => sum + digestSize(digest), 0);
    if (total > batchBytes) throw new Refusal(422, `no more than ${batchBytes} bytes go in one message`);
    await room.reach(total + all.length * aroundBlobBytes);
    const responses = await Promise.all(
      all.map(async (digest) => {
        try {
          const parts: Uint8Array[] = [];
          for await (const chunk of this.#bytesOf(digest, 0, digestSize(digest))) parts.push(chunk);
          return { digest: digestMessage(digest), data: Buffer.concat(parts), status: { code: status.OK } };
        } catch (error) {
          const { code, details } = this.#failure(error);
          return { digest: digestMessage(digest), status: { code, message: details } };
        }
      }),
    );
    return { responses };
  }

  #capabilities() {
    return {
      cacheCapabilities: {
        digestFunctions: [reapi.DigestFunction_Value.SHA256],
        actionCacheUpdateCapabilities: { updateEnabled: this.#options.tokens.length > 0 },
        maxBatchTotalSizeBytes: BigInt(toldBatchBytes),
        maxCasBlobSizeBytes: BigInt(this.#served.mostBlobBytes),
        splitBlobSupport: true,
        spliceBlobSupport: this.#options.tokens.length > 0,
        supportedCompressors: [reapi.Compressor_Value.ZSTD],
        fastCdc2020Params: { avgChunkSizeBytes: BigInt(usualAverageBytes) },
      },
      lowApiVersion: { major: 2 },
      highApiVersion: { major: 2, minor: 3 },
    };
  }

  #has(digest: Digest): boolean {
    return this.#cas.has(digest) || this.#results.action(digest) !== undefined;
  }

  async *#bytesOf(digest: Digest, from: number, to: number): AsyncGenerator<Uint8Array, void, undefined> {
    const action = this.#cas.has(digest) ? undefined : this.#results.action(digest);
    if (action !== undefined) yield action.subarray(from, to);
    else yield* this.#cas.stream(digest, from, to);
  }

  // @throws Refusal
  #allow(authorization: string | undefined, right: Right): void {
    const { tokens, isPrivate } = this.#options;
    if (right === 'read' && !isPrivate) return;
    if (tokens.length === 0) throw new Refusal(403, 'this cache is read only');
    if (holderOf(authorization, tokens) === undefined) throw new Refusal(401, 'a token is needed');
  }

  #failure(error: unknown): { readonly code: status; readonly details: string } {
    const { code, details, isOurs } = statusOf(error);
    if (isOurs) this.#options.onError?.(error);
    return { code, details };
  }
}

// @throws Refusal
function digestOf(message: Parameters<typeof digestIn>[0]): Digest {
  try {
    return digestIn(message);
  } catch (error) {
    if (error instanceof ReapiFailure) throw new Refusal(422, 'that is no digest');
    throw error;
  }
}

interface Named {
  readonly digest: Digest;
  /** It travels as zstd; the digest is what it is without. */
  readonly isCompressed: boolean;
}

/** `[INSTANCE/](blobs|compressed-blobs/zstd)/HASH/SIZE`. @throws Refusal */
function readable(name: string): Named {
  return inName(/^(?:.*\/)?(blobs|compressed-blobs\/zstd)\/([0-9a-f]{64}\/\d{1,16})$/s, name);
}

/** `[INSTANCE/]uploads/UUID/(blobs|compressed-blobs/zstd)/HASH/SIZE[/…]`. @throws Refusal */
function written(name: string): Named {
  return inName(
    /^(?:.*\/)?uploads\/[^/]+\/(blobs|compressed-blobs\/zstd)\/([0-9a-f]{64}\/\d{1,16})(?:\/.*)?$/s,
    name,
  );
}

function inName(pattern: RegExp, name: string): Named {
  const [, kind, text = ''] = pattern.exec(name) ?? [];
  const digest = parseDigest(text);
  if (digest === undefined) throw new Refusal(422, 'that is no name of a blob');
  return { digest, isCompressed: kind !== 'blobs' };
}

function blobsIn({ requests }: reapi.BatchUpdateBlobsRequest): readonly SentBlob[] {
  return requests.map(({ digest, data, compressor }) => {
    if (compressor !== reapi.Compressor_Value.IDENTITY)
      throw new Refusal(501, 'compressed blobs are not taken');
    return { digest: digestOf(digest), bytes: data };
  });
}

function pathOf({ parent, name }: Pick<DescMethod, 'parent' | 'name'>): string {
  return `/${parent.typeName}/${name}`;
}

async function openedQuestion<Desc extends DescMessage>(
  schema: Desc,
  sent: Gathered,
): Promise<MessageShape<Desc>> {
  using held = await sent.open();
  return decoded(schema, held.bytes);
}

// @throws Refusal
function decoded<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes);
  } catch {
    throw new Refusal(422, 'that is no message of this method');
  }
}

/** What zstd makes of so much that it cannot make smaller, in however small frames. */
function compressedBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes * 1.5) + (64 << 10);
}

/** The messages of a write, each held until the next is asked for. @throws Refusal */
async function* writesIn(
  call: Call,
  connections: Connections,
): AsyncGenerator<WriteRequest, void, undefined> {
  for (;;) {
    await using sent = await call.next();
    if (sent === undefined) return;
    const end = connections.waits(call.ends);
    try {
      using held = await sent.open();
      yield decoded(WriteRequestSchema, held.bytes);
    } finally {
      end();
    }
  }
}

/** The bytes of all messages, from the first on; counted. `onEnd`: all of them have come. @throws Refusal */
async function* bytesIn(
  first: WriteRequest,
  messages: AsyncIterator<WriteRequest>,
  came: { bytes: bigint },
  onEnd: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let message = first; ;) {
    if (message.writeOffset !== came.bytes) throw new Refusal(422, 'what comes does not follow on what came');
    came.bytes += BigInt(message.data.byteLength);
    if (message.finishWrite) onEnd();
    yield message.data;
    if (message.finishWrite) {
      // Let go before it is worked on: whoever has room asks for no more.
      await messages.return?.();
      return;
    }
    const next = await messages.next();
    if (next.done === true) throw new Refusal(422, 'it ended before it was said to be finished');
    message = next.value;
  }
}
