// A served store over the Remote Execution API: content, results of actions, and what the server can do. Reading is for everybody,
// or for who shows a token; writing always is for who shows one. Executes nothing.

import { once } from 'node:events';
import { createServer, type AddressInfo, type ListenOptions, type Server as Listener } from 'node:net';
import {
  Server,
  ServerCredentials,
  status,
  type Metadata,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerUnaryCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { digestSize, parseDigest, type Digest } from '../../base/digest.ts';
import { UserError } from '../../base/errors.ts';
import { zstdContent } from '../../caches/zstd-stream.ts';
import { usualAverageBytes } from '../../chunking/chunk-cutter.ts';
import { digestIn, digestMessage } from '../../reapi/digests.ts';
import { ReapiFailure } from '../../reapi/failure.ts';
import * as reapi from '../../reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import {
  ByteStream,
  type QueryWriteStatusRequest,
  type WriteRequest,
} from '../../reapi/messages/google/bytestream/bytestream_pb.ts';
import type { ConnectionEnds, Connections } from '../connections.ts';
import { holderOf, type Token } from '../http/tokens.ts';
import { Refusal } from '../refusal.ts';
import type { ServedStore } from '../served-store.ts';
import { Cas } from './cas.ts';
import { definitionOf } from './definitions.ts';
import { RecordBook } from './record-book.ts';
import { Results } from './results.ts';
import { AnswerRoom, deflated, frameBytes, sendAll, type Reader } from './sending.ts';
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
/** What a blob takes in a message beside its bytes, at most. */
const aroundBlobBytes = 200;
/** What is known of an action, with what was signed about it. */
const usualResultBytes = 16 << 10;
const streamsOfConnection = 200;

type Right = 'read' | 'write';
type Message<Type> = Partial<Omit<Type, '$typeName' | '$unknown'>>;
type Writer = ServerReadableStream<WriteRequest, Message<{ committedSize: bigint }>>;

export class ReapiService {
  readonly #served: ServedStore;
  readonly #options: ReapiServiceOptions;
  readonly #cas: Cas;
  readonly #book: RecordBook;
  readonly #results: Results;
  readonly #server: Server;
  readonly #listener: Listener;
  #port = 0;

  private constructor(served: ServedStore, options: ReapiServiceOptions) {
    this.#served = served;
    this.#options = options;
    const { store, inFlight, sound, reads, mostBlobBytes, files } = served;
    this.#cas = new Cas({ store, inFlight, sound, reads, mostBlobBytes });
    this.#book = new RecordBook(files);
    this.#results = new Results(served, this.#cas, this.#book);
    this.#server = new Server({
      'grpc.max_receive_message_length': messageBytes,
      'grpc.max_send_message_length': messageBytes,
      'grpc.max_concurrent_streams': streamsOfConnection,
      'grpc.max_connection_idle_ms': 300_000,
      'grpc.keepalive_time_ms': 60_000,
      'grpc-node.flow_control_window': 1 << 20,
    });
    const services = [reapi.Capabilities, reapi.ContentAddressableStorage, reapi.ActionCache, ByteStream];
    for (const service of services) this.#server.addService(definitionOf(service), this.#methods());
    const { tls, connections } = options;
    const pair = tls && { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) };
    const injector = this.#server.createConnectionInjector(
      pair === undefined ? ServerCredentials.createInsecure() : ServerCredentials.createSsl(null, [pair]),
    );
    this.#listener = createServer();
    connections.watch(this.#listener);
    this.#listener.on('connection', (socket) => injector.injectConnection(socket));
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
      // Whoever stops listening is asked for it by calls that are still under way.
      own.#port = (own.#listener.address() as AddressInfo).port;
    } catch (cause) {
      own.#server.forceShutdown();
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
    const timer = setTimeout(() => this.#server.forceShutdown(), graceMs);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(timer);
  }

  #methods(): UntypedServiceImplementation {
    return {
      GetCapabilities: this.#unary('read', () => Promise.resolve(this.#capabilities())),
      FindMissingBlobs: this.#unary('read', (question: reapi.FindMissingBlobsRequest, room) =>
        this.#findMissing(question, room),
      ),
      BatchUpdateBlobs: this.#unary('write', (question: reapi.BatchUpdateBlobsRequest) =>
        this.#batchUpdate(question),
      ),
      BatchReadBlobs: this.#unary('read', (question: reapi.BatchReadBlobsRequest, room) =>
        this.#batchRead(question, room),
      ),
      SplitBlob: this.#unary('read', async ({ blobDigest }: reapi.SplitBlobRequest, room) => {
        const chunks = await this.#cas.split(digestOf(blobDigest));
        await room.take(chunks.length * aroundBlobBytes);
        return {
          chunkDigests: chunks.map(digestMessage),
          chunkingFunction: reapi.ChunkingFunction_Value.FAST_CDC_2020,
        };
      }),
      SpliceBlob: this.#unary('write', async (question: reapi.SpliceBlobRequest) => {
        await this.#cas.splice(digestOf(question.blobDigest), question.chunkDigests.map(digestOf));
        this.#served.keepToSize();
        return { blobDigest: question.blobDigest! };
      }),
      GetActionResult: this.#unary('read', async ({ actionDigest }: reapi.GetActionResultRequest, room) => {
        await room.take(usualResultBytes);
        const result = await this.#results.get(digestOf(actionDigest));
        if (result === undefined) throw new Refusal(404, 'nothing is known of this action');
        return result;
      }),
      UpdateActionResult: this.#unary(
        'write',
        async ({ actionDigest, actionResult }: reapi.UpdateActionResultRequest) => {
          if (actionResult === undefined) throw new Refusal(422, 'there is no result');
          await this.#results.put(digestOf(actionDigest), actionResult);
          await this.#book.refresh();
          return actionResult;
        },
      ),
      QueryWriteStatus: this.#unary('write', ({ resourceName }: QueryWriteStatusRequest) => {
        const { digest } = written(resourceName);
        const complete = this.#cas.has(digest);
        return Promise.resolve({ complete, committedSize: complete ? BigInt(digestSize(digest)) : 0n });
      }),
      Read: (call: Reader) => void this.#read(call),
      Write: (call: Writer, done: sendUnaryData<Message<{ committedSize: bigint }>>) =>
        void this.#write(call, done),
    };
  }

  #unary<Question, Answer extends object>(
    right: Right,
    answer: (question: Question, room: AnswerRoom) => Promise<Answer>,
  ) {
    return (call: ServerUnaryCall<Question, Answer>, done: sendUnaryData<Answer>): void => {
      const room = this.#roomFor(call);
      const work = async (): Promise<Answer> => {
        this.#allow(call.metadata, right);
        return answer(call.request, room);
      };
      work().then(
        (result) => {
          room.answered();
          done(null, result);
        },
        (error: unknown) => done(this.#failure(error)),
      );
    };
  }

  async #read(call: Reader): Promise<void> {
    const room = this.#roomFor(call);
    try {
      this.#allow(call.metadata, 'read');
      const { resourceName, readOffset, readLimit } = call.request;
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
      call.end();
    } catch (error) {
      call.emit('error', this.#failure(error));
    }
  }

  async #write(call: Writer, done: sendUnaryData<Message<{ committedSize: bigint }>>): Promise<void> {
    const free = this.#occupy(call);
    try {
      this.#allow(call.metadata, 'write');
      const messages = call[Symbol.asyncIterator]() as AsyncIterator<WriteRequest>;
      const first = await messages.next();
      if (first.done === true) throw new Refusal(422, 'nothing was sent');
      const { digest, isCompressed } = written(first.value.resourceName);
      const came = { bytes: 0n };
      const isKnown = this.#cas.has(digest);
      // What is done with it when all has come takes its time, and the client has nothing to do meanwhile.
      const bytes = bytesIn(first.value, messages, came, free);
      // Whoever has it already need not take it.
      if (isKnown) await this.#cas.keepSent([digest]);
      else await this.#cas.add(digest, isCompressed ? inflated(bytes, digestSize(digest)) : bytes);
      this.#served.keepToSize();
      const compressed = isKnown ? -1n : came.bytes;
      done(null, { committedSize: isCompressed ? compressed : BigInt(digestSize(digest)) });
    } catch (error) {
      if (call.cancelled) return;
      done(this.#failure(error));
    } finally {
      free();
    }
  }

  #roomFor(call: Reader | ServerUnaryCall<unknown, unknown>): AnswerRoom {
    return new AnswerRoom(call, this.#options.connections, this.#endsOf(call));
  }

  #endsOf(call: Pick<Reader, 'getPeer'>): ConnectionEnds {
    const [, remoteAddress, remotePort] = /^(.*):(\d+)$/s.exec(call.getPeer()) ?? [];
    return { remoteAddress, remotePort: Number(remotePort), localPort: this.port };
  }

  /** Whose stream this is has to send something, until what this gives is called. */
  #occupy(call: Writer): () => void {
    const free = this.#options.connections.busy(this.#endsOf(call));
    let isFree = false;
    return () => {
      if (!isFree) free();
      isFree = true;
    };
  }

  async #findMissing({ blobDigests }: reapi.FindMissingBlobsRequest, room: AnswerRoom) {
    await room.take(blobDigests.length * aroundBlobBytes);
    await this.#book.refresh();
    const digests = blobDigests.map(digestOf);
    const missing = digests.filter((digest) => !this.#has(digest));
    const absent = new Set(missing);
    await this.#cas.keepAsked(digests.filter((digest) => !absent.has(digest)));
    return { missingBlobDigests: missing.map(digestMessage) };
  }

  async #batchUpdate({ requests }: reapi.BatchUpdateBlobsRequest) {
    const blobs = requests.map(({ digest, data, compressor }) => {
      if (compressor !== reapi.Compressor_Value.IDENTITY)
        throw new Refusal(501, 'compressed blobs are not taken');
      return { digest: digestOf(digest), bytes: data };
    });
    await this.#cas.addAll(blobs);
    this.#served.keepToSize();
    return { responses: requests.map(({ digest }) => ({ digest: digest!, status: { code: status.OK } })) };
  }

  async #batchRead({ digests }: reapi.BatchReadBlobsRequest, room: AnswerRoom) {
    const all = digests.map(digestOf);
    const total = all.reduce((sum, digest) => sum + digestSize(digest), 0);
    if (total > batchBytes) throw new Refusal(422, `no more than ${batchBytes} bytes go in one message`);
    await room.take(total + all.length * aroundBlobBytes);
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
        maxBatchTotalSizeBytes: BigInt(batchBytes - (256 << 10)),
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
  #allow(metadata: Metadata, right: Right): void {
    const { tokens, isPrivate } = this.#options;
    if (right === 'read' && !isPrivate) return;
    if (tokens.length === 0) throw new Refusal(403, 'this cache is read only');
    const shown = metadata.get('authorization')[0];
    if (holderOf(typeof shown === 'string' ? shown : undefined, tokens) === undefined)
      throw new Refusal(401, 'a token is needed');
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

/** @throws Refusal for what is no zstd, or holds too much; what `bytes` throws */
async function* inflated(
  bytes: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* zstdContent(bytes, mostBytes);
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(422, (error as Error).message);
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
    if (message.finishWrite) return;
    const next = await messages.next();
    if (next.done === true) throw new Refusal(422, 'it ended before it was said to be finished');
    message = next.value;
  }
}
