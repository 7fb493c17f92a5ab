// What passes between the main thread and an unpacking thread: what to unpack, and what was found. Plain data.

import type { Digest } from '../../store/base/digest.ts';
import type { BadArchiveKind } from './bad-archive.ts';
import type { UnpackLimits } from './limits.ts';

export interface UnpackRequest {
  readonly archivePath: string;
  /** A fresh folder for the contents, which become files named by number. */
  readonly folder: string;
  readonly strip: number | undefined;
  readonly exclude: readonly string[];
  readonly limits: UnpackLimits;
  /** Four bytes; set to 1 to have the reading stop. */
  readonly stop: SharedArrayBuffer;
}

export type UnpackReply =
  | { readonly kind: 'unpacked'; readonly listing: Listing }
  | { readonly kind: 'stopped' }
  | { readonly kind: BadArchiveKind; readonly message: string }
  /** Neither: a system error with its errno name, or a bug. */
  | { readonly kind: 'failed'; readonly error: Error; readonly code: string | undefined };

/** An archive's tree. Entries refer to contents and directories by their position here. */
export interface Listing {
  /** Content number n is the file of that name. */
  readonly contents: readonly Content[];
  /** Every directory comes after those inside it; the last one is the top. */
  readonly directories: readonly ListedDirectory[];
}

export interface Content {
  readonly digest: Digest;
  readonly executable: boolean;
}

export interface ListedDirectory {
  readonly entries: readonly ListedEntry[];
}

export type ListedEntry = { readonly name: string } & (
  | { readonly kind: 'file'; readonly content: number }
  | { readonly kind: 'folder'; readonly directory: number }
  | { readonly kind: 'symlink'; readonly target: string }
);
