// A server's address through which bytes are counted, whatever they are.

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface CountingProxy {
  readonly url: string;
  /** Bytes that came from the server so far. */
  readonly came: () => number;
}

/** It is gone when the test has ended. */
export async function countingProxy(behind: string): Promise<CountingProxy> {
  const { hostname, port, protocol } = new URL(behind);
  let bytes = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(Number(port), hostname);
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => undefined);
    }
    onward.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`, came: () => bytes };
}
