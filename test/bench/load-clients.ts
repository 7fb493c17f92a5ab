// Many clients of a web server at once, as a process of its own, so that what they cost is not the server's: each asks for all
// files on one connection, in an order of its own, and counts what comes. Told what to do on standard input, tells on standard output.

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Load {
  readonly host: string;
  readonly port: number;
  readonly clients: number;
  /** Paths and how many bytes each is of. */
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
}

export interface Loaded {
  readonly ms: number;
  readonly bytes: number;
  /** Why files did not come whole. */
  readonly failures: readonly string[];
}

const headEnd = Buffer.from('\r\n\r\n');

const load = JSON.parse(await text(process.stdin)) as Load;
const started = performance.now();
const ended = await Promise.allSettled(Array.from({ length: load.clients }, (_, at) => client(at)));
const loaded: Loaded = {
  ms: performance.now() - started,
  bytes: ended.reduce((sum, one) => sum + (one.status === 'fulfilled' ? one.value : 0), 0),
  failures: ended.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
};
process.stdout.write(JSON.stringify(loaded));

/** How many bytes of content came. */
function client(at: number): Promise<number> {
  const { host, port, files } = load;
  const order = files.map((_, index) => files[(index * 7 + at * 13) % files.length]!);
  return new Promise((resolve, reject) => {
    let [next, total, left] = [0, 0, 0];
    let head: Buffer = Buffer.alloc(0);
    const ask = (): void => {
      const file = order[next++];
      if (file === undefined) {
        socket.destroy();
        resolve(total);
      } else socket.write(`GET ${file.path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`);
    };
    const take = (chunk: Buffer): void => {
      if (left > 0) {
        left -= chunk.byteLength;
        total += chunk.byteLength;
        if (left < 0) throw new Error('more came than was announced');
        if (left === 0) ask();
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf(headEnd);
      if (end < 0) return;
      const lines = head.toString('latin1', 0, end).toLowerCase();
      const { sizeBytes } = order[next - 1]!;
      if (!lines.startsWith('http/1.1 200') || !lines.includes(`content-length: ${sizeBytes}`))
        throw new Error(`an answer that was not expected: ${lines}`);
      left = sizeBytes;
      const content = head.subarray(end + headEnd.byteLength);
      head = Buffer.alloc(0);
      take(content);
    };
    const socket = connect({
      host,
      port,
      // One buffer for all that comes: nobody looks at it.
      onread: {
        buffer: Buffer.alloc(256 * 1024),
        callback: (size, buffer) => {
          try {
            take(Buffer.from(buffer.buffer, buffer.byteOffset, size));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
            socket.destroy();
          }
          return true;
        },
      },
    });
    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the connection was closed')));
  });
}
