// The seam between a store and content that lies elsewhere: what other stores and caches say they have. Types only.

import type { Digest } from '../store/base/digest.ts';

/** Where content is: in this store; not here, but a source says that it has it; nowhere that anybody knows of. */
export type Presence = 'here' | 'to-be-had' | 'lost';

/** All that can be had from elsewhere, behind one. Whoever asks verifies what comes. */
export interface ContentSource {
  /** For people. */
  readonly name: string;
  /**
   * Which of these, blobs and directories, it has: a hint. One question, however many they are.
   * @throws when it cannot be asked, which is no reason for a build to fail
   */
  has(digests: ReadonlySet<Digest>, signal: AbortSignal): Promise<ReadonlySet<Digest>>;
  /** The bytes of a blob, or of a directory's message. @throws when it does not have them, or they do not all come */
  read(digest: Digest, signal: AbortSignal): AsyncIterable<Uint8Array>;
}
