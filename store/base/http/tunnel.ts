// TLS to a server through a proxy: a connection is asked for with CONNECT (RFC 9110 §9.3.6), and what comes of it is a
// connection like any other, kept for further requests to that server. Knows nothing of requests.

import { request as httpRequest, type RequestOptions } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

type OnSocket = (error: Error | null, socket: Duplex) => void;

/** How long a proxy may take to say whether there is a connection. Whoever waits for it may lose patience earlier. */
const answerMs = 60_000;

export class TunnelAgent extends Agent {
  readonly #proxy: URL;

  constructor(proxy: URL) {
    super({ keepAlive: true });
    this.#proxy = proxy;
  }

  override createConnection(options: RequestOptions, callback?: OnSocket): undefined {
    const onSocket = callback as (error: Error | null, socket?: Duplex) => void;
    const host = `${bracketed(options.host ?? '')}:${options.port ?? 443}`;
    const request = this.#proxy.protocol === 'https:' ? httpsRequest : httpRequest;
    const asking = request({
      ...addressOf(this.#proxy),
      method: 'CONNECT',
      path: host,
      headers: { host, ...proxyAuthorization(this.#proxy) },
      agent: false,
      timeout: answerMs,
    });
    // Whoever waits keeps the process alive; when nobody does any longer, this connection is not to.
    asking.once('socket', (socket) => socket.unref());
    asking.once('timeout', () => asking.destroy(new Error(`no answer for ${answerMs / 1000} s`)));
    asking.once('error', onSocket);
    asking.once('connect', ({ statusCode = 0 }, socket, head) => {
      asking.off('error', onSocket);
      socket.setTimeout(0);
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        onSocket(new Error(`it answers ${statusCode} when asked for a connection to ${host}`));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      socket.ref();
      onSocket(null, connectTls({ ...(options as ConnectionOptions), socket }));
    });
    asking.end();
    return undefined;
  }
}

/** Where a proxy listens, as options of a request. */
export function addressOf({ hostname, port, protocol }: URL): { host: string; port: string } {
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: port === '' ? (protocol === 'https:' ? '443' : '80') : port };
}

/** The header that gives a proxy its user and password (RFC 9110 §11.7.2); none when its URL has none. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  const value = basicCredentials(proxy);
  return value === undefined ? {} : { 'proxy-authorization': value };
}

/** A URL's user and password as RFC 7617 has them. */
export function basicCredentials({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
