// The door to caches for commands that push.

export { compareWithCache, type Against, type FoundEdition } from './against.ts';
export { openCache, pushersPatience } from '../../store/caches/index.ts';
export type { Conflict } from './conflicts.ts';
export { ownIdentical } from './own-claims.ts';
export { mendCache } from './mend-cache.ts';
export { openCaches } from './open-caches.ts';
export { PushingBehind, type PushedBehind } from './push-behind.ts';
export type { Refusal } from './refusal.ts';
export { pushSteps, type CheaperStep, type PushReport } from './push-steps.ts';
