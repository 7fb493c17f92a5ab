// Whether a result is sooner made again than moved, by what was measured here. Pure.

import type { Realisation } from '../../store/index.ts';

/** What a team's line gives: some give more, none of the machines that build is so much quicker than this one. */
const usualBytesPerSecond = 20_000_000;
/** Less than this goes in any case. */
const littleBytes = 1_000_000;

/** What others made has no duration here, and was worth it to them; what is Merkle nodes alone is next to nothing. */
export function isWorthMoving({ facts }: Realisation): boolean {
  const { durationMs, sizeBytes, signers } = facts;
  if (signers !== undefined || sizeBytes === undefined || sizeBytes < littleBytes) return true;
  return (sizeBytes / usualBytesPerSecond) * 1000 < durationMs;
}
