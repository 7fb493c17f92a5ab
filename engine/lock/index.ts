// The door to the lock file: reading it, and finding what it should pin.

export { readLock, writeLock, type Lock } from './lock-file.ts';
export type { LockChange } from './lock-changes.ts';
export { pinsFor, unlockedInputs } from './pins-for.ts';
export { updateLock } from './update-lock.ts';
