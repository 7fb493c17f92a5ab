// The door to caches for commands that push.

export { openCache } from '../../store/caches/index.ts';
export { pushSteps, type PushReport } from './push-steps.ts';
