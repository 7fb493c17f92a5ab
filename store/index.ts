// The store's door: the only file other rooms import, beside store/base.

export * from './trees/tree.ts';
export { lookupIn } from './trees/lookup.ts';
export * from './store.ts';
export { claimFormat, decodeClaim, encodeClaim } from './records/claim.ts';
export { mendStore, openStore } from './open.ts';
export type {
  Cache,
  CacheDamage,
  CacheReport,
  ContentReader,
  Push,
  Pushed,
  PushedOutput,
  PushedRecord,
  Take,
} from './caches/cache.ts';
export type { Likenesses } from './chunking/likenesses.ts';
export {
  formatPublicKey,
  generateSigningKey,
  parsePublicKey,
  parseSigningKey,
  type PublicKey,
  type SigningKey,
} from './caches/keys.ts';
