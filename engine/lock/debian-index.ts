// What an archive's index is to those who look things up in it.

import type { Stanza } from '../sources/deb822.ts';

/** The archive of security updates, whose pool is its own. */
export const securityMirror = 'debian-security';

/** Verified stanzas, and the mirror whose pool they describe. */
export interface Index {
  readonly mirror: string;
  readonly stanzas: readonly Stanza[];
}
