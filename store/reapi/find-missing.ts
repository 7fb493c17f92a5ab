// Which of many blobs a server lacks: asked in parts that its messages can hold. Knows nothing of what the blobs are.

import { create } from '@bufbuild/protobuf';
import type { Digest } from '../base/digest.ts';
import type { Connection } from './connection.ts';
import { digestIn, digestMessage } from './digests.ts';
import { ReapiFailure } from './failure.ts';
import {
  ContentAddressableStorage,
  DigestFunction_Value,
  FindMissingBlobsRequestSchema,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';

/** A digest takes no more in a message. */
const digestBytes = 80;
/** Less than half a message. */
const digestsInPart = 20_000;

/** @throws ReapiFailure; the signal's reason */
export async function findMissing(
  { channel, instance, attempt }: Connection,
  digests: Iterable<Digest>,
  signal: AbortSignal,
): Promise<Set<Digest>> {
  const missing = new Set<Digest>();
  for (const part of partsOf([...digests])) {
    const question = create(FindMissingBlobsRequestSchema, {
      instanceName: instance,
      blobDigests: part.map(digestMessage),
      digestFunction: DigestFunction_Value.SHA256,
    });
    // None of them may be there.
    const movedBytes = part.length * digestBytes;
    const { missingBlobDigests } = await attempt(signal, () =>
      channel.ask(ContentAddressableStorage.method.findMissingBlobs, question, signal, { movedBytes }),
    );
    const asked = new Set(part);
    for (const digest of missingBlobDigests.map(digestIn)) {
      if (!asked.has(digest)) throw new ReapiFailure('wrong', 'the server lacks what it was not asked about');
      missing.add(digest);
    }
  }
  return missing;
}

function* partsOf(digests: readonly Digest[]): Generator<readonly Digest[]> {
  for (let at = 0; at < digests.length; at += digestsInPart) yield digests.slice(at, at + digestsInPart);
}
