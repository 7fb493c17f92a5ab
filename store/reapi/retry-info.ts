// When a server wants to be asked again, as it may say with an error (google.rpc.RetryInfo). A hint: whoever asks has his own bounds.

import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack, durationMs, type Any } from '@bufbuild/protobuf/wkt';
import type { Metadata } from '@grpc/grpc-js';
import { RetryInfoSchema } from './messages/google/rpc/error_details_pb.ts';
import { StatusSchema } from './messages/google/rpc/status_pb.ts';

/** In milliseconds; undefined when nothing, or no sense, is said. */
export function retryAfterMs(details: readonly Any[]): number | undefined {
  for (const detail of details) {
    const delay = readable(() => anyUnpack(detail, RetryInfoSchema))?.retryDelay;
    const delayMs = delay && durationMs(delay);
    if (delayMs !== undefined && delayMs >= 0) return delayMs;
  }
  return undefined;
}

/** The same of a call that failed: there it is in its trailers (gRPC over HTTP/2, "Status-Details"). */
export function retryAfterMsIn(trailers: Metadata | undefined): number | undefined {
  const [bytes] = trailers?.get('grpc-status-details-bin') ?? [];
  if (bytes === undefined || typeof bytes === 'string') return undefined;
  return retryAfterMs(readable(() => fromBinary(StatusSchema, bytes))?.details ?? []);
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
