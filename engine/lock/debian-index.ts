// What an archive's index is to those who look things up in it. A type only.

import type { Stanza } from '../sources/deb822.ts';

/** Verified stanzas, and the mirror whose pool they describe. */
export interface Index {
  readonly mirror: string;
  readonly stanzas: readonly Stanza[];
}
