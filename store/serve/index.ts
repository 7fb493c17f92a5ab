// The door to serving a store to others: not part of the store's own, so that a command which serves nothing loads none of it.

export { ServedStore, type ServedStoreOptions } from './served-store.ts';
export { ShelfServer, type ServedRequest, type ShelfServerOptions } from './http/shelf-server.ts';
export { parseTokens, type Token } from './http/tokens.ts';
