// Small blobs that were sent together, staged to be kept: each is compared with its digest. Of what is here already nothing is staged,
// so that a batch keeps no bytes in memory until it is committed.

import { digestOf, digestSize, type Digest } from '../base/digest.ts';
import type { Batch, Store } from '../store.ts';
import type { InFlight } from './in-flight.ts';
import { Refusal } from './refusal.ts';

export interface SentBlob {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** @throws Refusal for one that is not what its digest says */
export async function stageSent(
  blobs: readonly SentBlob[],
  batch: Batch,
  { store, inFlight }: { readonly store: Store; readonly inFlight: InFlight },
): Promise<void> {
  const wrong = blobs.find(({ digest, bytes }) => digestSize(digest) !== bytes.byteLength);
  if (wrong !== undefined) throw notAsNamed(wrong.digest);
  await inFlight.keepSent(blobs.map(({ digest }) => digest));
  for (const { digest, bytes } of blobs)
    if ((store.blobs.has(digest) ? digestOf(bytes) : batch.addBytes(bytes)) !== digest)
      throw notAsNamed(digest);
}

function notAsNamed(digest: Digest): Refusal {
  return new Refusal(422, `${digest} is not what its digest says`);
}
