// Servers as they are met: each says on a bare connection what it says, right or wrong. What a download from it should
// come to stands beside it.

import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** The content, or the code of the error. */
export type Fate = 'right' | 'FETCH_FAILED' | 'FETCH_HASH_MISMATCH';

export interface Animal {
  readonly fate: Fate;
  /** Called with the head of each request. */
  answer(socket: Socket, asked: Asked): void;
}

export interface Asked {
  readonly content: Buffer;
  readonly path: string;
  /** 0 without a range. */
  readonly startByte: number;
  /** How often this animal was asked before. */
  readonly before: number;
}

const crlf = '\r\n';

function head(status: string, ...headers: readonly string[]): string {
  return [status, ...headers, '', ''].join(crlf);
}

function chunks(content: Buffer): Buffer {
  const half = content.length >> 1;
  const parts = [content.subarray(0, half), content.subarray(half)];
  return Buffer.concat(
    parts.flatMap((part) => [Buffer.from(part.length.toString(16) + crlf), part, Buffer.from(crlf)]),
  );
}

const last = `0${crlf}${crlf}`;
const chunked = 'Transfer-Encoding: chunked';
const closing = 'Connection: close';
const lengthOf = (content: Buffer): string => `Content-Length: ${content.length}`;

function right(answer: Animal['answer']): Animal {
  return { fate: 'right', answer };
}

function failing(answer: Animal['answer']): Animal {
  return { fate: 'FETCH_FAILED', answer };
}

function wrong(answer: Animal['answer']): Animal {
  return { fate: 'FETCH_HASH_MISMATCH', answer };
}

/** Sends the whole of it, whatever was asked for. */
function whole(socket: Socket, content: Buffer, ...headers: readonly string[]): void {
  socket.write(head('HTTP/1.1 200 OK', lengthOf(content), ...headers));
  socket.write(content);
}

/** What the network does to a connection, which TLS knows nothing of. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

export const animals: Readonly<Record<string, Animal>> = {
  'HTTP/1.0, closing': right((socket, { content }) => {
    socket.write(head('HTTP/1.0 200 OK', 'Server: SimpleHTTP/0.6 Python/3.11', lengthOf(content)));
    socket.end(content);
  }),
  'HTTP/1.0, its end is the end': right((socket, { content }) => {
    socket.write(head('HTTP/1.0 200 OK'));
    socket.end(content);
  }),
  'HTTP/1.1, kept': right((socket, { content }) => whole(socket, content)),
  'HTTP/1.1, closing': right((socket, { content }) => {
    whole(socket, content, closing);
    socket.end();
  }),
  'HTTP/1.1, closing without a word': right((socket, { content }) => {
    whole(socket, content);
    socket.end();
  }),
  'in chunks': right((socket, { content }) => {
    socket.write(head('HTTP/1.1 200 OK', chunked));
    socket.write(chunks(content));
    socket.write(last);
  }),
  'in chunks, closing': right((socket, { content }) => {
    socket.write(head('HTTP/1.1 200 OK', chunked, closing));
    socket.write(chunks(content));
    socket.end(last);
  }),
  'early hints first': right((socket, { content }) => {
    socket.write(head('HTTP/1.1 103 Early Hints', 'Link: </style.css>; rel=preload'));
    whole(socket, content);
  }),
  'redirecting once': right((socket, { content, path }) => {
    if (path.endsWith('/there')) whole(socket, content);
    else socket.write(head('HTTP/1.1 302 Found', `Location: ${path}/there`, 'Content-Length: 0'));
  }),
  'resetting, then right': right((socket, { content, before }) => {
    if (before === 0) reset(socket);
    else whole(socket, content);
  }),
  'cutting short, then going on': right((socket, { content, startByte }) => {
    const rest = content.subarray(startByte);
    const range = `Content-Range: bytes ${startByte}-${content.length - 1}/${content.length}`;
    const status = startByte > 0 ? 'HTTP/1.1 206 Partial Content' : 'HTTP/1.1 200 OK';
    socket.write(head(status, lengthOf(rest), ...(startByte > 0 ? [range] : [])));
    socket.end(rest.subarray(0, Math.max(100_000, rest.length >> 1)));
  }),
  'cutting short, always': failing((socket, { content }) => {
    socket.write(head('HTTP/1.1 200 OK', lengthOf(content)));
    socket.end(content.subarray(0, 1000));
  }),
  'cutting chunks short': failing((socket, { content }) => {
    socket.write(head('HTTP/1.1 200 OK', chunked, closing));
    socket.end(chunks(content.subarray(0, 1000)));
  }),
  'resetting in the middle': failing((socket, { content }) => {
    socket.write(head('HTTP/1.1 200 OK', lengthOf(content)));
    socket.write(content.subarray(0, 1000), () => reset(socket));
  }),
  'no chunk size': failing((socket) => {
    socket.write(`${head('HTTP/1.1 200 OK', chunked)}not hexadecimal${crlf}`);
  }),
  'silent from the start': failing(() => undefined),
  'silent in the middle': failing((socket, { content }) => {
    socket.write(head('HTTP/1.1 200 OK', lengthOf(content)));
    socket.write(content.subarray(0, 1000));
  }),
  'closing at once': failing((socket) => void socket.end()),
  'another protocol': failing((socket) => void socket.end(`SSH-2.0-OpenSSH_9.2p1${crlf}`)),
  // SETTINGS, as a server sends first that takes HTTP/2 alone.
  'HTTP/2 alone': failing((socket) => void socket.end(Buffer.from('000006040000000000000300000064', 'hex'))),
  'switching protocols': failing((socket) => {
    socket.end(head('HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'));
  }),
  'headers without end': failing(
    (socket) => void socket.end(head('HTTP/1.1 200 OK', `X: ${'x'.repeat(70_000)}`)),
  ),
  'redirecting in a circle': failing((socket, { path }) => {
    socket.write(head('HTTP/1.1 301 Moved Permanently', `Location: ${path}`, 'Content-Length: 0'));
  }),
  'redirecting to a file': failing((socket) => {
    socket.write(head('HTTP/1.1 302 Found', 'Location: file:///etc/hostname', 'Content-Length: 0'));
  }),
  'no content': failing((socket) => void socket.write(head('HTTP/1.1 204 No Content'))),
  'announcing less than it sends': wrong((socket, { content }) => {
    socket.write(head('HTTP/1.1 200 OK', `Content-Length: ${content.length - 1}`, 'Accept-Ranges: none'));
    socket.end(content);
  }),
  'announcing more than is pinned': wrong((socket, { content }) => {
    socket.write(head('HTTP/1.1 200 OK', `Content-Length: ${content.length + 1}`));
    socket.write(content);
  }),
  'a login page': wrong((socket, { content }) => {
    whole(socket, Buffer.concat([Buffer.from('<html>please log in</html>'), content], content.length));
  }),
};
