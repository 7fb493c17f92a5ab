// HTTP requests sent as the environment wants it: through a proxy where it names one. Follows redirects. Knows nothing
// of what is asked for.
//
// On Node.js's `http` rather than on its `fetch`: undici 7.28 to 7.30, which newer Node.js has built in, ends the process
// with an assertion that nobody can catch when a server closes the connection while its answer is being read
// (nodejs/undici#5360), and 8, where that is mended, does not run on Node.js 20.

import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pipeline, Readable } from 'node:stream';
import { proxyFor, type Proxy } from './proxy.ts';
import { redactUrl } from './redact.ts';
import { addressOf, basicCredentials, proxyAuthorization, TunnelAgent } from './tunnel.ts';

export interface SendOptions {
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'MKCOL' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** What to send along, of a size that is said. It is sent once: an answer that redirects is given as it is. */
  readonly body?: {
    readonly sizeBytes: number;
    readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  };
  /** Gives an answer that redirects as it is: what was signed for one server is shown to no other. */
  readonly followsNothing?: boolean;
  /** Aborts the request, and the body with it. Whoever does not read the body to its end aborts. */
  readonly signal: AbortSignal;
}

/** An answer's head, and its body as it comes. */
export interface Answer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: IncomingMessage['headers'];
  readonly body: AsyncIterable<Uint8Array>;
  /** The proxy that may have given this answer itself, for messages; of one through a tunnel, none can have. */
  readonly proxy?: string;
}

const mostRedirects = 20;
const always = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'cairn' };
const agents = {
  http: new HttpAgent({ keepAlive: true }),
  https: new HttpsAgent({ keepAlive: true }),
  tunnels: new Map<string, TunnelAgent>(),
};

/**
 * Sends a request to an http or https URL, with the user it has, and gives the answer, after redirects.
 * @throws UserError `CONFIG_INVALID` when the environment names a proxy that cannot be used; else the system's error, or
 * one that says what is wrong with the answer.
 */
export async function sendRequest(url: string | URL, options: SendOptions): Promise<Answer> {
  let at = new URL(url);
  let headers = { ...authorization(at), ...options.headers };
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const proxy = proxyFor(at);
    const answer = await sendOnce(at, { ...options, headers }, proxy);
    const isFollowed = options.body === undefined && options.followsNothing !== true;
    const next = isFollowed ? redirection(answer, at) : undefined;
    if (next === undefined)
      return {
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        body: answer as AsyncIterable<Uint8Array>,
        ...(proxy !== undefined && at.protocol === 'http:' && { proxy: namedProxy(proxy) }),
      };
    answer.resume();
    // Credentials are for the server they were meant for.
    if (next.origin !== at.origin) headers = without(headers, 'authorization');
    at = next;
  }
  throw new Error(`it redirects more than ${mostRedirects} times`);
}

/** An answer's status for people, and the proxy that may have given it. */
export function statusText({ status, proxy }: Pick<Answer, 'status' | 'proxy'>): string {
  return `${proxy === undefined ? '' : `through ${proxy}: `}HTTP status ${status}`;
}

function sendOnce(
  url: URL,
  { method = 'GET', headers, signal, body }: SendOptions,
  proxy: Proxy | undefined,
): Promise<IncomingMessage> {
  const { isTls, ...route } = proxy === undefined ? directRoute(url) : routeThrough(proxy.url, url);
  const options = {
    ...route,
    method,
    headers: { ...always, ...headers, ...length(body), ...route.headers },
    signal,
  };
  return new Promise((resolve, reject) => {
    const request = (isTls ? httpsRequest : httpRequest)(options);
    request.on('error', (error) => reject(proxy === undefined ? error : atProxy(proxy, error)));
    // As long as a proxy has no connection for it, an aborted request says nothing.
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort);
    request.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      reject(new Error('the connection closed'));
    });
    // Without a listener the request would end without any event.
    request.on('upgrade', (_, socket) => {
      socket.destroy();
      reject(new Error('it wants to speak another protocol'));
    });
    request.on('response', (answer) => {
      // Whoever reads it gets the error; when nobody does, it is nobody's.
      answer.on('error', () => undefined);
      if (method === 'HEAD') answer.resume();
      resolve(answer);
    });
    if (body === undefined) request.end();
    // What keeps it from being sent ends the request, which says so.
    else pipeline(Readable.from(body.chunks, { objectMode: false }), request, () => undefined);
  });
}

function length(body: SendOptions['body']): Readonly<Record<string, string>> {
  return body === undefined ? {} : { 'content-length': String(body.sizeBytes) };
}

/** Which connection to send a request on, and what to ask for on it. */
interface Route extends RequestOptions {
  readonly isTls: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

function directRoute(url: URL): Route {
  const isTls = url.protocol === 'https:';
  const agent = isTls ? agents.https : agents.http;
  return { ...addressOf(url), path: url.pathname + url.search, isTls, agent, headers: { host: url.host } };
}

// A plain request is given to the proxy with its whole URL (RFC 9112 §3.2.2); TLS is none of its business.
function routeThrough(proxy: URL, url: URL): Route {
  const direct = directRoute(url);
  if (direct.isTls) return { ...direct, agent: tunnelThrough(proxy) };
  return {
    ...directRoute(proxy),
    path: `http://${url.host}${url.pathname}${url.search}`,
    headers: { host: url.host, ...proxyAuthorization(proxy) },
    ...(proxy.protocol === 'https:' && { servername: proxy.hostname }),
  };
}

function tunnelThrough(proxy: URL): TunnelAgent {
  const known = agents.tunnels.get(proxy.href);
  const agent = known ?? new TunnelAgent(proxy);
  agents.tunnels.set(proxy.href, agent);
  return agent;
}

function redirection({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return undefined;
  if (!URL.canParse(headers.location, from.href)) throw new Error('it redirects to what is not a URL');
  const to = new URL(headers.location, from);
  if (to.protocol !== 'http:' && to.protocol !== 'https:')
    throw new Error(`it redirects to ${redactUrl(to.href)}, which is neither http nor https`);
  return to;
}

function authorization(url: URL): Readonly<Record<string, string>> {
  const value = basicCredentials(url);
  return value === undefined ? {} : { authorization: value };
}

function atProxy(proxy: Proxy, error: Error & { readonly code?: string }): Error {
  const reason = error.message === '' ? String(error.code) : error.message;
  return new Error(`through ${namedProxy(proxy)}: ${reason}`, { cause: error });
}

function namedProxy({ url, variable }: Proxy): string {
  return `the proxy ${url.host} (${variable})`;
}

function without(headers: Readonly<Record<string, string>>, name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name));
}
