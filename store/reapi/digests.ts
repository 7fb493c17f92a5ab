// Digests as messages, and back: what a server names is only believed when it is one.

import { create } from '@bufbuild/protobuf';
import { digestHash, digestSize, parseDigest, type Digest } from '../base/digest.ts';
import { ReapiFailure } from './failure.ts';
import {
  DigestSchema,
  type Digest as DigestMessage,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';

export function digestMessage(digest: Digest): DigestMessage {
  return create(DigestSchema, { hash: digestHash(digest), sizeBytes: BigInt(digestSize(digest)) });
}

/** @throws ReapiFailure for anything but a SHA-256 and a size. */
export function digestIn(message: DigestMessage | undefined): Digest {
  const digest = message && parseDigest(`${message.hash}/${message.sizeBytes}`);
  if (digest === undefined) throw new ReapiFailure('wrong', 'the server named something that is no digest');
  return digest;
}
