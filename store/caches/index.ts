// The door to caches, for who asks them: not part of the store's own, so that a command which needs none loads none.

export { openCache, type OpenCacheOptions } from './open-cache.ts';
export { pushersPatience } from './patience.ts';
export { serverCredentials } from './server-credentials.ts';
export {
  decodeSignedRecord,
  isGenuine,
  promisedBy,
  signRecord,
  subjectOf,
  type SignedRecord,
  type Statement,
} from './signed-record.ts';
export { agreed, weigh, type Heard, type Trust, type Voiced } from './trust.ts';
export { editionSubject } from '../records/travelling-edition.ts';
export { describeFailure } from './describe-failure.ts';
export { valueIn } from '../records/read-strictly.ts';
