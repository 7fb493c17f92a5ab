// A connection that is cut in the middle, wherever bytes are by then: neither side is told that it ends.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A port that leads to another one of this machine until `bytes` have gone there: then both ends are reset. It is gone when the test has ended. */
export async function cutAfter(bytes: number, port: number): Promise<{ readonly port: number }> {
  let left = bytes;
  const sockets = new Set<Socket>();
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const server = createServer((socket) => {
    const onward = connect(port, '127.0.0.1');
    for (const each of [socket, onward]) {
      sockets.add(each);
      each.on('error', () => undefined).on('close', cut);
    }
    socket.on('data', (chunk: Buffer) => {
      left -= chunk.byteLength;
      if (left < 0) cut();
    });
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    cut();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port };
}
