// HTTP requests sent as the environment wants it: through a proxy where `http_proxy`, `https_proxy` and `no_proxy` say
// so, as with curl and apt. Knows nothing of what is asked for.

import type * as Undici from 'undici';

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly signal: AbortSignal;
}

export type Answer = Pick<Response, 'status' | 'headers' | 'body'>;

/** `fetch`, by way of a proxy where the environment names one. */
export function sendRequest(url: string | URL, options: RequestOptions): Promise<Answer> {
  return hasProxy(process.env) ? sendThroughProxy(url, options) : fetch(url, options);
}

function hasProxy(env: Readonly<Record<string, string | undefined>>): boolean {
  const names = ['http_proxy', 'https_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  return names.some((name) => (env[name] ?? '') !== '');
}

let proxy: Promise<{ readonly undici: typeof Undici; readonly agent: Undici.Dispatcher }> | undefined;

// Node.js's own client takes no proxy without an option on the command line, so a second copy of it is loaded.
async function sendThroughProxy(url: string | URL, options: RequestOptions): Promise<Answer> {
  proxy ??= import('undici').then((undici) => ({
    undici,
    agent: new undici.EnvHttpProxyAgent({ proxyTunnel: false }),
  }));
  const { undici, agent } = await proxy;
  return undici.fetch(url, { ...options, dispatcher: agent });
}
