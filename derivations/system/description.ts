// A system as data: what it is called, what is mounted, which features it has. Knows nothing of how it is made.

import type { Feature } from './feature.ts';

/** A system as a person describes it. */
export interface SystemDescription {
  /** Also the name of its tree. */
  readonly name: string;
  readonly hostname: string;
  readonly fstab: readonly Mount[];
  readonly features: readonly Feature[];
  /** Globs of what packages bring and this system goes without, beside those that no system has. */
  readonly leftOut?: readonly string[];
}

export interface Mount {
  /** A device, as in `PARTUUID=…`. */
  readonly what: string;
  readonly where: string;
  readonly type: string;
  readonly options: string;
  /** Checked at boot first (the root), after it, or never. */
  readonly check?: 'first' | 'later';
}
