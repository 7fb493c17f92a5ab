// The door to serving a store to others: not part of the store's own, so that a command which serves nothing loads none of it.

import type { ReapiService, ReapiServiceOptions } from './grpc/reapi-service.ts';
import type { ServedStore } from './served-store.ts';

export { ServedStore, type ServedStoreOptions } from './served-store.ts';
export { ShelfServer, type ServedRequest, type ShelfServerOptions } from './http/shelf-server.ts';
export { parseTokens, type Token } from './http/tokens.ts';
export type { ReapiService, ReapiServiceOptions };

/**
 * The same store over the Remote Execution API. Loaded when it is asked for, with gRPC and all it needs.
 * @throws UserError `CACHE_INVALID` when it cannot listen there
 */
export async function openReapiService(
  served: ServedStore,
  address: { readonly host: string; readonly port: number },
  options: ReapiServiceOptions,
): Promise<ReapiService> {
  const { ReapiService } = await import('./grpc/reapi-service.ts');
  return ReapiService.listen(served, address, options);
}
