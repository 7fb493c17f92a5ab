// A server for what Debian's does not do: it has blobs put together from chunks, breaks off where it is told, and lies.

import { create, fromBinary, toBinary, type DescMethod, type DescService } from '@bufbuild/protobuf';
import {
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
import { tempFolder } from './temp-folder.ts';

export interface ServerBehaviour {
  readonly capabilities?: Partial<Omit<reapi.CacheCapabilities, '$typeName' | '$unknown'>>;
  /** A stream of an answer ends with this status after so many bytes, as often as it says. */
  readonly breaks?: { readonly afterBytes: number; times: number };
  /** It takes and gives blobs as zstd, whatever it says that it can do. */
  readonly zstd?: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** What is read, instead of what it has. */
  readonly lie?: (bytes: Uint8Array) => Uint8Array;
}

export class ReapiServer {
  readonly blobs = new Map<string, Uint8Array>();
  /** Calls, by the method's name, with the offset where a stream began. */
  readonly calls: string[] = [];
  /** Of streams, in the order in which they ended, those of writes, and began, those of reads. */
  readonly names: string[] = [];
  url = '';
  readonly #behaviour: ServerBehaviour;

  private constructor(behaviour: ServerBehaviour) {
    this.#behaviour = behaviour;
  }

  static async start(behaviour: ServerBehaviour = {}): Promise<ReapiServer> {
    const own = new ReapiServer(behaviour);
    const server = new Server();
    for (const service of [reapi.Capabilities, reapi.ContentAddressableStorage, ByteStream])
      server.addService(definitionOf(service), own.#implementation());
    const path = join(tempFolder('reapi'), 's');
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      ),
    );
    onTestFinished(() => server.forceShutdown());
    own.url = `grpc+unix://${path}`;
    return own;
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
      Read: (call: ServerWritableStream<ReadRequest, unknown>) => void this.#stream(call),
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
