// A realisation as a build would have recorded it, for tests that need one with nothing special about it.

import type { Digest } from '../../store/base/digest.ts';
import { claimFormat, type Facts, type Node, type Realisation } from '../../store/index.ts';

export function madeRealisation(
  action: Digest,
  outputs: Readonly<Record<string, Node>>,
  facts: Partial<Facts> = {},
): Realisation {
  return {
    claim: { format: claimFormat, action, outputs, revision: 1 },
    facts: {
      name: 'step',
      builder: 'here',
      durationMs: 1,
      cpuMs: undefined,
      peakMemoryBytes: undefined,
      sizeBytes: undefined,
      builtAtMs: 1,
      log: undefined,
      ...facts,
    },
  };
}
