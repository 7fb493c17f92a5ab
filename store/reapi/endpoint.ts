// Where a Remote Execution API server is, from its URL. Pure: opens no connection, and knows no secret.

import { UserError } from '../base/errors.ts';

export interface Endpoint {
  /** As gRPC has it: `host:port`, or `unix:` and a path. */
  readonly address: string;
  /** Which of the server's caches; often ''. */
  readonly instance: string;
  readonly isEncrypted: boolean;
  /** True when bytes to it do not leave this machine. */
  readonly isOnThisMachine: boolean;
}

const usualPorts = { 'grpc:': 80, 'grpcs:': 443 } as const;

/**
 * `grpc://HOST:PORT/INSTANCE`, `grpcs://…`, or `grpc+unix:///PATH?instance=INSTANCE`.
 * @throws UserError `CACHE_INVALID`, which shows nothing of the URL that may be secret.
 */
export function parseEndpoint(text: string): Endpoint {
  if (!URL.canParse(text)) throw invalid('it is not a URL');
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw invalid('it has a user or password', 'Give a token or a client certificate instead.');
  if (url.protocol === 'grpc+unix:') return onSocket(url);
  if (url.protocol !== 'grpc:' && url.protocol !== 'grpcs:')
    throw invalid(`${url.protocol} is none of grpc:, grpcs: and grpc+unix:`);
  if (url.hostname === '') throw invalid('it names no host');
  return {
    address: `${url.hostname}:${url.port === '' ? usualPorts[url.protocol] : url.port}`,
    instance: decodeURIComponent(url.pathname.replace(/^\/|\/$/g, '')),
    isEncrypted: url.protocol === 'grpcs:',
    isOnThisMachine: /^(127\.[\d.]+|\[::1\]|localhost)$/.test(url.hostname),
  };
}

function onSocket(url: URL): Endpoint {
  if (url.hostname !== '' || url.pathname.length < 2)
    throw invalid('a socket is named by its absolute path', 'Write it as grpc+unix:///run/cache.sock.');
  if ([...url.searchParams.keys()].some((name) => name !== 'instance'))
    throw invalid('it asks for more than an instance');
  return {
    address: `unix:${decodeURIComponent(url.pathname)}`,
    instance: url.searchParams.get('instance') ?? '',
    isEncrypted: false,
    isOnThisMachine: true,
  };
}

function invalid(why: string, hint = 'Write it as grpcs://HOST:PORT/INSTANCE.'): UserError {
  return new UserError('CACHE_INVALID', `the URL of a Remote Execution API cache cannot be used: ${why}`, {
    hint,
  });
}
