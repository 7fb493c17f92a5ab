// The seam between this machine and a cache, whatever speaks to it: a folder, a web server, a service. Types only. What is said
// about content and records is a hint; whoever asks verifies what comes.

import type { Digest } from '../base/digest.ts';
import type { Likenesses } from '../chunking/likenesses.ts';
import type { Directory, Node } from '../trees/tree.ts';

/** What any place with content can do. Only a store of this machine can say in which file a blob lies. */
export interface ContentReader {
  /** The directory with this digest, or undefined when it is not there. */
  directory(digest: Digest): Directory | undefined;
  /** All bytes of a blob. @throws MissingBlob */
  read(digest: Digest): Promise<Uint8Array>;
  /** The same piece by piece. @throws MissingBlob */
  stream(digest: Digest): AsyncIterable<Uint8Array>;
}

/** Takes what was asked for; resolves when it has all of it. What it throws ends the reading, and is thrown there. */
export type Take = (digest: Digest, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

export interface Cache {
  /** For people: without secrets. */
  readonly name: string;
  /**
   * The signed records (`signed-record.ts`) about these actions and derivations, encoded, unverified, in no order; there may be
   * several about one, and some about others. One question, however many there are.
   * @throws when it cannot be asked
   */
  records(subjects: ReadonlySet<Digest>, signal: AbortSignal): Promise<readonly Uint8Array[]>;
  /**
   * Which of these, blobs and directories, it has. One question, however many.
   * @param tops outputs that they were found in: a cache that keeps books by output finds them there
   * @throws when it cannot be asked
   */
  has(
    digests: ReadonlySet<Digest>,
    tops: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<Digest>>;
  /**
   * Gives what it has of these, each once, in any order, several at once: of a directory its message's bytes. Only after `has`
   * was asked about them. @throws when it cannot be asked, or something does not come whole; what `take` throws
   * @param likenesses what a cache that knows chunks need not give again
   */
  read(digests: ReadonlySet<Digest>, take: Take, signal: AbortSignal, likenesses?: Likenesses): Promise<void>;
  /** All that is below an output, itself included, where that can be told without reading it; undefined otherwise. */
  below(top: Digest, signal: AbortSignal): Promise<ReadonlySet<Digest> | undefined>;
  /** What others have brought meanwhile is to be found from now on. Not there where nothing that is said is kept in mind. */
  readonly forget?: () => void;
  /**
   * Brings what the cache lacks: content first, then the records about it, so that no record is there before what it promises.
   * @throws UserError `CACHE_FAILED`; MissingBlob for content that is not here
   */
  push(push: Push, signal: AbortSignal): Promise<Pushed>;
  /** All that is there looked at; not there where nobody can tell what that is. */
  readonly upkeep?: CacheUpkeep;
}

export interface CacheUpkeep {
  /** Verifies every signature and digest. Changes nothing. @throws when the cache cannot be asked */
  verify(signal: AbortSignal): Promise<CacheReport>;
  /**
   * Takes what is damaged out of the way and brings these outputs, which hold it, anew. Records that are lost can be pushed
   * again afterwards. @throws UserError `CACHE_FAILED`
   */
  mend(report: CacheReport, push: Omit<Push, 'records'>, signal: AbortSignal): Promise<Pushed>;
}

export interface CacheReport {
  /** Genuine ones. */
  readonly records: number;
  readonly outputs: number;
  /** Blobs and directories that are what their digests say. */
  readonly contents: number;
  readonly readBytes: number;
  readonly damages: readonly CacheDamage[];
  /** Files that nothing leads to: of pushes that are under way, or were broken off. Undamaged for all that is known. */
  readonly leftovers: readonly string[];
}

export type CacheDamage =
  /** A file that is gone, or holds something else. */
  | {
      readonly kind: 'content';
      readonly name: string;
      readonly problem: string;
      /** Outputs that need it, as far as records about them are there. */
      readonly outputs: readonly Exclude<Node, { kind: 'symlink' }>[];
      /** The same by hash. */
      readonly lists: readonly string[];
    }
  /** Records that an index promises, and that are gone, damaged or forged: all of a file, or some. */
  | { readonly kind: 'records'; readonly name: string; readonly records: readonly string[] };

export interface Push {
  readonly outputs: readonly PushedOutput[];
  readonly records: readonly PushedRecord[];
  readonly from: ContentReader;
}

/** Content that is to be found by its top. */
export interface PushedOutput {
  readonly top: Exclude<Node, { kind: 'symlink' }>;
  /** The same for successive versions, which are likely to have much in common. */
  readonly name: string;
}

export interface PushedRecord {
  readonly subject: Digest;
  /** Encoded and signed. */
  readonly bytes: Uint8Array;
}

export interface Pushed {
  /** Blobs and directories that the cache did not have. */
  readonly contents: number;
  readonly records: number;
  /** All that was sent, as it was sent. */
  readonly sentBytes: number;
}
