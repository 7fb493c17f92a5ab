// The servers and proxies of the zoo, listening on this machine for one test.

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import { animals, type Animal } from './animals.ts';

/** Key and certificate, as PEM, of a server that speaks TLS. */
export interface Identity {
  readonly key: string;
  readonly certificate: string;
}

/** Starts one server for all animals, each at `/NAME`. Gives its port. */
export function openZoo(content: Buffer, identity?: Identity): Promise<number> {
  const askedBefore = new Map<string, number>();
  const meet = (socket: Socket): void =>
    onRequests(socket, (head) => {
      const [, asked = ''] = head.split(' ');
      // On a connection that a proxy passes on to us, later requests name the server too.
      const { pathname: path } = new URL(asked, 'http://zoo.test');
      const name = decodeURIComponent(path).split('/there')[0]?.slice(1) ?? '';
      const before = askedBefore.get(name) ?? 0;
      askedBefore.set(name, before + 1);
      const startByte = Number(/^range: bytes=(\d+)-/im.exec(head)?.[1] ?? 0);
      (animals[name] as Animal).answer(socket, { content, path, startByte, before });
    });
  return listen(
    identity === undefined
      ? createServer(meet)
      : createTlsServer({ key: identity.key, cert: identity.certificate }, meet),
  );
}

/** What a proxy does with what it is asked, when it does not pass it on. */
export type Refusal = (socket: Socket) => void;

/** Starts a proxy that passes everything on, closing after each answer; or one that refuses. Gives its port. */
export function openProxy(passed: string[], refuse?: Refusal): Promise<number> {
  return listen(
    createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (bytes: Buffer) => {
        const head = bytes.toString('latin1');
        const [method = '', target = ''] = head.split(' ');
        passed.push(`${method} ${target}`);
        if (refuse !== undefined) {
          refuse(socket);
          return;
        }
        const { hostname, port, pathname } = new URL(method === 'CONNECT' ? `http://${target}` : target);
        const onward = connect(Number(port), hostname, () => {
          if (method === 'CONNECT') socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          else onward.write(head.replace(target, pathname).replace(/keep-alive/i, 'close'), 'latin1');
          socket.pipe(onward).pipe(socket);
        });
        onward.on('error', () => socket.resetAndDestroy());
        onward.on('close', (hadError) => (hadError ? socket.resetAndDestroy() : socket.end()));
        socket.on('close', () => onward.destroy());
      });
    }),
  );
}

/** A request has no body here, so that it is its head. */
function onRequests(socket: Socket, answer: (head: string) => void): void {
  let text = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    if (!text.endsWith('\r\n\r\n')) return;
    answer(text);
    text = '';
  });
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
