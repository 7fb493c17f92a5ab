// A port for a server that cannot be told to take any.

import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Free when it was looked for. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
