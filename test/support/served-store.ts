// A store of its own, served over HTTP on this machine for one test.

import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore, type Store } from '../../store/index.ts';
import {
  openReapiService,
  parseTokens,
  ServedStore,
  ShelfServer,
  type ServedStoreOptions,
  type ShelfServerOptions,
} from '../../store/serve/index.ts';
import { tempFolder } from './temp-folder.ts';

export const writeToken = '0123456789abcdef-of-ci';

/** The Remote Execution API of a store that is served. */
export async function reapiOf(
  { served, server, errors }: Serving,
  options: Partial<Parameters<typeof openReapiService>[2]> = {},
): Promise<{ readonly url: string; readonly env: NodeJS.ProcessEnv }> {
  const service = await openReapiService(
    served,
    { host: '127.0.0.1', port: 0 },
    {
      tokens: parseTokens(`ci ${writeToken}`, 'the test'),
      isPrivate: false,
      connections: server.connections,
      onError: (error) => errors.push(error),
      ...options,
    },
  );
  onTestFinished(() => service.stop(0));
  const host = `127.0.0.1:${service.port}`;
  const scheme = options.tls === undefined ? 'grpc' : 'grpcs';
  return {
    url: `${scheme}://${host}`,
    env: { HOME: '/nonexistent', CAIRN_CACHE_TOKEN: `${host}=${writeToken}` },
  };
}

export interface Serving {
  readonly url: string;
  readonly store: Store;
  readonly served: ServedStore;
  readonly server: ShelfServer;
  /** What went wrong on its side. */
  readonly errors: unknown[];
  /** The environment of who may write. */
  readonly env: NodeJS.ProcessEnv;
  stop(graceMs?: number): Promise<void>;
}

export async function serveStore({
  folder = tempFolder('serve'),
  storeOptions = {},
  serverOptions = {},
}: {
  readonly folder?: string;
  readonly storeOptions?: Partial<ServedStoreOptions>;
  readonly serverOptions?: Partial<ShelfServerOptions>;
} = {}): Promise<Serving> {
  const store = await openStore(join(folder, 'store'));
  const errors: unknown[] = [];
  const served = await ServedStore.open(store, {
    keys: [],
    mostBlobBytes: 1e9,
    copiesBytes: 1e8,
    onError: (error) => errors.push(error),
    ...storeOptions,
  });
  const address = { host: '127.0.0.1', port: 0 };
  const server = await ShelfServer.listen(served, address, {
    tokens: parseTokens(`ci ${writeToken}`, 'the test'),
    isPrivate: false,
    mostConnections: 100,
    mostRequestsPerSecond: 100_000,
    onError: (error) => errors.push(error),
    ...serverOptions,
  });
  let isStopped = false;
  const stop = async (graceMs = 0): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    await server.stop(graceMs);
    await served.settled();
    await store.close();
  };
  onTestFinished(() => stop());
  const { host } = new URL(server.url);
  const env = { HOME: '/nonexistent', CAIRN_CACHE_TOKEN: `${host}=${writeToken}` };
  return { url: server.url, store, served, server, errors, env, stop };
}

/** What its metrics tell of requests that have ended; nothing of what is under way. */
export function endedRequests({ server }: Pick<Serving, 'server'>): string {
  return server.metrics.text({
    connections: 0,
    underWay: 0,
    untakenBytes: 0,
    incoming: { inMemoryBytes: 0, asideBytes: 0 },
    cutOff: {},
  });
}
