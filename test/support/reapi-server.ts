// A server for what Debian's does not do: it has blobs put together from chunks, breaks off where it is told, and lies.

import {
  create,
  fromBinary,
  toBinary,
  type DescMethod,
  type DescService,
  type MessageInitShape,
} from '@bufbuild/protobuf';
import { anyPack, durationFromMs } from '@bufbuild/protobuf/wkt';
import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { digestHash, digestOf, type Digest } from '../../store/base/digest.ts';
import { digestMessage } from '../../store/reapi/digests.ts';
import * as reapi from '../../store/reapi/messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import {
  ByteStream,
  type ReadRequest,
  type WriteRequest,
} from '../../store/reapi/messages/google/bytestream/bytestream_pb.ts';
import { RetryInfoSchema } from '../../store/reapi/messages/google/rpc/error_details_pb.ts';
import { StatusSchema, type Status } from '../../store/reapi/messages/google/rpc/status_pb.ts';
import { tempFolder } from './temp-folder.ts';

export interface ServerBehaviour {
  readonly capabilities?: Partial<Omit<reapi.CacheCapabilities, '$typeName' | '$unknown'>>;
  /** A stream of an answer ends with this status after so many bytes, as often as it says. */
  readonly breaks?: { readonly afterBytes: number; times: number };
  /** It takes and gives blobs as zstd, whatever it says that it can do. */
  readonly zstd?: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** What is read, instead of what it has. */
  readonly lie?: (bytes: Uint8Array) => Uint8Array;
  /** What becomes of an action that is to be done. */
  readonly execute?: (asked: AskedAction) => void;
  /** What is streamed under a name that begins with `logs/`. */
  readonly log?: (asked: AskedLog) => void;
}

/** An action that was sent to be done. */
export interface AskedAction {
  /** Which one it is, from 0. */
  readonly nth: number;
  /** A worker has it, and its log is streamed under that name. */
  isUnderWay(stdoutStreamName: string): void;
  /** What it comes to. */
  end(response: MessageInitShape<typeof reapi.ExecuteResponseSchema>): void;
  /** The call fails; the server may say when it wants to be asked again. */
  fail(code: status, retryAfterMs?: number): void;
}

export interface AskedLog {
  readonly name: string;
  readonly offset: number;
  write(text: string): void;
  end(): void;
  breakOff(): void;
}

/** An error that says when to ask again. */
export function statusWith(code: status, retryAfterMs?: number): Status {
  const retryDelay = durationFromMs(retryAfterMs ?? 0);
  const details =
    retryAfterMs === undefined ? [] : [anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay }))];
  return create(StatusSchema, { code, message: 'as the test says', details });
}

export class ReapiServer {
  readonly blobs = new Map<string, Uint8Array>();
  /** Calls, by the method's name, with the offset where a stream began. */
  readonly calls: string[] = [];
  /** Of streams, in the order in which they ended, those of writes, and began, those of reads. */
  readonly names: string[] = [];
  url = '';
  readonly #behaviour: ServerBehaviour;

  readonly #server = new Server();

  private constructor(behaviour: ServerBehaviour) {
    this.#behaviour = behaviour;
  }

  static async start(behaviour: ServerBehaviour = {}): Promise<ReapiServer> {
    const own = new ReapiServer(behaviour);
    const server = own.#server;
    for (const service of [reapi.Capabilities, reapi.ContentAddressableStorage, reapi.Execution, ByteStream])
      server.addService(definitionOf(service), own.#implementation());
    const path = join(tempFolder('reapi'), 's');
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      ),
    );
    onTestFinished(() => own.goAway());
    own.url = `grpc+unix://${path}`;
    return own;
  }

  /** Whoever asks it from now on is refused, and what is under way breaks off. */
  goAway(): void {
    this.#server.forceShutdown();
  }

  has(digest: Digest): boolean {
    return this.blobs.has(digestHash(digest));
  }

  #implementation(): UntypedServiceImplementation {
    const unary = <Question, Answer>(name: string, answer: (question: Question) => Answer) => ({
      [name]: (call: ServerUnaryCall<Question, Answer>, done: sendUnaryData<Answer>) => {
        this.calls.push(name);
        done(null, answer(call.request));
      },
    });
    return {
      ...unary('GetCapabilities', () => this.#capabilities()),
      ...unary('FindMissingBlobs', (question: reapi.FindMissingBlobsRequest) =>
        create(reapi.FindMissingBlobsResponseSchema, {
          missingBlobDigests: question.blobDigests.filter(({ hash }) => !this.blobs.has(hash)),
        }),
      ),
      ...unary('BatchUpdateBlobs', (question: reapi.BatchUpdateBlobsRequest) =>
        create(reapi.BatchUpdateBlobsResponseSchema, {
          responses: question.requests.map(({ digest, data }) => {
            this.blobs.set(digest!.hash, data);
            return { digest: digest! };
          }),
        }),
      ),
      ...unary('BatchReadBlobs', (question: reapi.BatchReadBlobsRequest) =>
        create(reapi.BatchReadBlobsResponseSchema, {
          responses: question.digests.map((digest) => {
            const data = this.#read(digest.hash);
            return data === undefined ? { digest, status: { code: status.NOT_FOUND } } : { digest, data };
          }),
        }),
      ),
      ...unary('SpliceBlob', (question: reapi.SpliceBlobRequest) => {
        const bytes = Buffer.concat(question.chunkDigests.map(({ hash }) => this.blobs.get(hash)!));
        this.blobs.set(digestHash(digestOf(bytes)), bytes);
        return create(reapi.SpliceBlobResponseSchema, { blobDigest: digestMessage(digestOf(bytes)) });
      }),
      Execute: (call: ServerWritableStream<reapi.ExecuteRequest, unknown>) => this.#execute(call),
      WaitExecution: (call: ServerWritableStream<reapi.WaitExecutionRequest, unknown>) =>
        call.emit('error', { code: status.UNIMPLEMENTED, details: 'nobody waits' }),
      Read: (call: ServerWritableStream<ReadRequest, unknown>) =>
        call.request.resourceName.startsWith('logs/') ? this.#streamLog(call) : void this.#stream(call),
      Write: (call: ServerReadableStream<WriteRequest, unknown>, done: sendUnaryData<unknown>) => {
        this.calls.push('Write');
        const pieces: Uint8Array[] = [];
        let name = '';
        call.on('data', ({ resourceName, data }: WriteRequest) => {
          if (resourceName !== '') name = resourceName;
          pieces.push(data);
        });
        call.on('end', () => {
          const bytes = Buffer.concat(pieces);
          this.names.push(name);
          if (isCompressed(name) && this.#behaviour.zstd === undefined) {
            done({ code: status.INVALID_ARGUMENT, details: 'no such name' });
            return;
          }
          this.blobs.set(name.split('/').at(-2)!, bytes);
          done(null, { committedSize: BigInt(bytes.length) });
        });
      },
    };
  }

  #capabilities(): reapi.ServerCapabilities {
    return create(reapi.ServerCapabilitiesSchema, {
      cacheCapabilities: {
        digestFunctions: [reapi.DigestFunction_Value.SHA256],
        actionCacheUpdateCapabilities: { updateEnabled: true },
        ...this.#behaviour.capabilities,
      },
      ...(this.#behaviour.execute !== undefined && {
        executionCapabilities: {
          execEnabled: true,
          digestFunction: reapi.DigestFunction_Value.SHA256,
        },
      }),
    });
  }

  #execute(call: ServerWritableStream<reapi.ExecuteRequest, unknown>): void {
    const nth = this.calls.filter((name) => name === 'Execute').length;
    this.calls.push('Execute');
    const name = `operations/${nth}`;
    this.#behaviour.execute!({
      nth,
      isUnderWay: (stdoutStreamName) => {
        const stage = reapi.ExecutionStage_Value.EXECUTING;
        const said = create(reapi.ExecuteOperationMetadataSchema, { stage, stdoutStreamName });
        call.write({ name, metadata: anyPack(reapi.ExecuteOperationMetadataSchema, said) });
      },
      end: (response) => {
        const value = anyPack(reapi.ExecuteResponseSchema, create(reapi.ExecuteResponseSchema, response));
        call.write({ name, done: true, result: { case: 'response', value } });
        call.end();
      },
      fail: (code, retryAfterMs) => {
        const metadata = new Metadata();
        const said = statusWith(code, retryAfterMs);
        metadata.set('grpc-status-details-bin', Buffer.from(toBinary(StatusSchema, said)));
        call.emit('error', { code, details: said.message, metadata });
      },
    });
  }

  #streamLog(call: ServerWritableStream<ReadRequest, unknown>): void {
    const { resourceName: name, readOffset } = call.request;
    const offset = Number(readOffset);
    this.calls.push(`Read ${name} ${offset}`);
    this.#behaviour.log!({
      name,
      offset,
      write: (text) => void call.write({ data: Buffer.from(text) }),
      end: () => void call.end(),
      breakOff: () => call.emit('error', { code: status.UNAVAILABLE, details: 'broke off' }),
    });
  }

  #read(hash: string): Uint8Array | undefined {
    const bytes = this.blobs.get(hash);
    return bytes && (this.#behaviour.lie?.(bytes) ?? bytes);
  }

  async #stream(call: ServerWritableStream<ReadRequest, unknown>): Promise<void> {
    const { resourceName } = call.request;
    this.names.push(resourceName);
    const offset = Number(call.request.readOffset);
    this.calls.push(`Read ${offset}`);
    const bytes = this.#read(resourceName.split('/').at(-2)!);
    const { zstd } = this.#behaviour;
    if (bytes === undefined || (isCompressed(resourceName) && zstd === undefined)) {
      call.emit('error', { code: status.NOT_FOUND, details: 'no such blob' });
      return;
    }
    const { breaks } = this.#behaviour;
    const isBroken = breaks !== undefined && breaks.times-- > 0;
    // What breaks off is the stream, and an offset is one of the blob itself.
    const sent = isCompressed(resourceName) ? await zstd!(bytes.subarray(offset)) : bytes.subarray(offset);
    const rest = sent.subarray(0, isBroken ? breaks.afterBytes : undefined);
    for (let at = 0; at < rest.length; at += 1 << 20) call.write({ data: rest.subarray(at, at + (1 << 20)) });
    if (isBroken) call.emit('error', { code: status.UNAVAILABLE, details: 'broke off' });
    else call.end();
  }
}

function isCompressed(name: string): boolean {
  return name.includes('compressed-blobs/zstd/');
}

function definitionOf(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.name, methodOf(service, method)]));
}

function methodOf(service: DescService, { name, methodKind, input, output }: DescMethod) {
  return {
    path: `/${service.typeName}/${name}`,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes: Buffer) => fromBinary(input, bytes),
    responseSerialize: (message: Record<string, unknown>) =>
      Buffer.from(toBinary(output, create(output, message))),
    responseDeserialize: () => undefined,
  };
}
