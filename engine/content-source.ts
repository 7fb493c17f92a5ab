// The seam between a build and what lies elsewhere: what others, who are trusted, say of steps, and content. Types only.

import type { Digest } from '../store/base/digest.ts';
import type { Claim, Likenesses, Memo, Take } from '../store/index.ts';

/** Where content is: in this store; not here, but a source says that it has it; nowhere that anybody knows of. */
export type Presence = 'here' | 'to-be-had' | 'lost';

/** What others have made of a derivation. */
export interface FoundMemo {
  readonly memo: Memo;
  readonly found: FoundClaim;
}

/** What others have made of an action. */
export interface FoundClaim {
  readonly claim: Claim;
  /** Who says so, by the names of their keys. */
  readonly signers: readonly string[];
  /** The signed records, for whoever does not take this machine's word for it. */
  readonly records: readonly Uint8Array[];
}

/** What others say of an action that gave something else here, whether or not enough of them do. */
export type Contradiction = Pick<FoundClaim, 'claim' | 'signers'>;

/** All that can be had from elsewhere, behind one. Records count; content is verified by whoever asks. */
export interface ContentSource {
  /** For people. */
  readonly name: string;
  /** By derivation. One question, however many. @throws when it cannot be asked, which is no reason for a build to fail */
  memos(derivations: ReadonlySet<Digest>, signal: AbortSignal): Promise<ReadonlyMap<Digest, FoundMemo>>;
  /** By action. */
  claims(actions: ReadonlySet<Digest>, signal: AbortSignal): Promise<ReadonlyMap<Digest, FoundClaim>>;
  /** Which of these, blobs and directories, found in outputs with these tops, it has: a hint. */
  has(
    digests: ReadonlySet<Digest>,
    tops: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<Digest>>;
  /**
   * Gives what it can of these, of a directory its message's bytes. @throws when it cannot be asked; what `take` throws
   * @param likenesses what need not come again
   */
  read(digests: ReadonlySet<Digest>, take: Take, signal: AbortSignal, likenesses?: Likenesses): Promise<void>;
  /** All that is below an output, itself included, where that can be told without reading it. */
  below(top: Digest, signal: AbortSignal): Promise<ReadonlySet<Digest> | undefined>;
  /** Another build begins: what others have made meanwhile is to be found, and who was given up some time ago is asked again. */
  begin(): void;
  /**
   * What trusted keys were heard to say of actions since this was last asked, where that is not what `made` knows them to have given.
   * Asks nobody.
   */
  contradictions(made: (action: Digest) => Claim['outputs'] | undefined): readonly Contradiction[];
  /** What was noticed since this was last asked and is worth a line: who is not asked any more, who contradicts whom. */
  notices(): readonly string[];
}
