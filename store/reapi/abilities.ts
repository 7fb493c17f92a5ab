// What a server says of itself, as far as it matters here, and what is assumed where it says nothing.

import { chunkSizes } from '../chunking/chunk-cutter.ts';
import type { Chunking } from '../chunking/chunks.ts';
import { ReapiFailure } from './failure.ts';
import {
  Compressor_Value,
  DigestFunction_Value,
  type ServerCapabilities,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';

export interface ServerAbilities {
  /** Content of one message, at most. */
  readonly batchBytes: number;
  readonly largestBlobBytes: number;
  readonly mayUpdateActions: boolean;
  /** It runs actions. */
  readonly executes: boolean;
  /** Large blobs may travel as zstd. */
  readonly hasZstd: boolean;
  readonly splits: boolean;
  readonly splices: boolean;
  /** How it would have blobs cut. */
  readonly chunking: Chunking | undefined;
}

/** gRPC's own limit on a message is 4 MiB, whatever capabilities say; this leaves room for what is around the content. */
const largestBatchBytes = (4 << 20) - (256 << 10);

/** @throws ReapiFailure when it keeps nothing, or not by SHA-256. */
export function abilitiesOf(capabilities: ServerCapabilities): ServerAbilities {
  const cache = capabilities.cacheCapabilities;
  if (cache === undefined) throw new ReapiFailure('unsupported', 'the server is no cache');
  if (!cache.digestFunctions.includes(DigestFunction_Value.SHA256))
    throw new ReapiFailure('unsupported', 'the server does not keep content by SHA-256');
  const fastCdc = cache.fastCdc2020Params;
  const sizes = fastCdc && chunkSizes(Number(fastCdc.avgChunkSizeBytes));
  return {
    batchBytes: atMost(cache.maxBatchTotalSizeBytes, largestBatchBytes),
    largestBlobBytes: atMost(cache.maxCasBlobSizeBytes, Number.MAX_SAFE_INTEGER),
    executes: capabilities.executionCapabilities?.execEnabled === true,
    mayUpdateActions: cache.actionCacheUpdateCapabilities?.updateEnabled === true,
    hasZstd: cache.supportedCompressors.includes(Compressor_Value.ZSTD),
    splits: cache.splitBlobSupport,
    splices: cache.spliceBlobSupport,
    chunking: sizes && { sizes, seed: fastCdc.seed },
  };
}

// Zero says that there is no limit.
function atMost(announced: bigint, ours: number): number {
  return announced > 0n && announced < BigInt(ours) ? Number(announced) : ours;
}
