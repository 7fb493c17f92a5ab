// A Remote Execution API server as one of the caches: connected when it is first asked, with what the environment says to show it.
// Who does not answer the first question soon is not waited for.

import type { Digest } from '../base/digest.ts';
import { UserError } from '../base/errors.ts';
import type { Likenesses } from '../chunking/likenesses.ts';
import { parseEndpoint } from '../reapi/endpoint.ts';
import type { ReapiCache } from '../reapi/reapi-cache.ts';
import type { Cache, Push, Pushed, Take } from './cache.ts';
import { describeFailure } from './describe-failure.ts';
import type { CachePatience } from './patience.ts';
import { serverCredentials } from './server-credentials.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export class ServiceCache implements Cache {
  readonly name: string;
  readonly #url: URL;
  readonly #env: Environment;
  readonly #patience: CachePatience;
  #opened: Promise<ReapiCache> | undefined;

  /** @throws UserError `CACHE_INVALID` */
  constructor(url: URL, env: Environment, patience: CachePatience) {
    parseEndpoint(url.href);
    this.name = url.href.replace(/\/$/, '');
    this.#url = url;
    this.#env = env;
    this.#patience = patience;
  }

  async records(subjects: ReadonlySet<Digest>, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    return (await this.#reached(signal)).records(subjects, signal);
  }

  async has(
    digests: ReadonlySet<Digest>,
    tops: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<ReadonlySet<Digest>> {
    return (await this.#reached(signal)).has(digests, tops, signal);
  }

  async read(
    digests: ReadonlySet<Digest>,
    take: Take,
    signal: AbortSignal,
    likenesses?: Likenesses,
  ): Promise<void> {
    await (await this.#reached(signal)).read(digests, take, signal, likenesses);
  }

  below(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  async push(push: Push, signal: AbortSignal): Promise<Pushed> {
    const [cache, { ReapiFailure }] = await Promise.all([
      this.#reached(signal),
      import('../reapi/failure.ts'),
    ]).catch((error: unknown) => {
      signal.throwIfAborted();
      throw this.#failed(error);
    });
    try {
      return await cache.push(push, signal);
    } catch (error) {
      throw error instanceof ReapiFailure ? this.#failed(error) : error;
    }
  }

  #failed(cause: unknown): unknown {
    if (cause instanceof UserError) return cause;
    return new UserError('CACHE_FAILED', `${this.name} could not take all of it: ${describeFailure(cause)}`, {
      hint: 'What it has taken stays there. Push again when it is back, or look at its log.',
      fault: 'environment',
      cause,
    });
  }

  async #reached(signal: AbortSignal): Promise<ReapiCache> {
    const cache = await (this.#opened ??= this.#open());
    await cache.reach(signal);
    return cache;
  }

  // Loaded late, with gRPC and all it needs: most commands ask no such server.
  async #open(): Promise<ReapiCache> {
    const [{ ReapiCache }, { ReapiClient }, credentials] = await Promise.all([
      import('../reapi/reapi-cache.ts'),
      import('../reapi/client.ts'),
      serverCredentials(this.#url, this.#env),
    ]);
    const client = new ReapiClient(this.#url.href, { credentials, patience: this.#patience });
    return new ReapiCache(this.name, client);
  }
}
