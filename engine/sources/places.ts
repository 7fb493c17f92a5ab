// Where a flake's downloads may come from. Types only.

import type { Lock } from '../lock/lock-file.ts';

/** What of a flake, and of a wish, decides how something is fetched. */
export interface FetchPlaces {
  /** The flake's own mirrors. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** The pins, read only when a download fails and its error should name one. */
  readonly lock: () => Lock | Promise<Lock>;
  /** Use nothing but this machine. */
  readonly offline: boolean;
}
