// Puts a workshop together for this machine: its cores, its mirrors, its sandbox. The heavy parts (downloads, archives,
// the sandbox) are loaded when the first step needs them, so that a build with nothing to do never loads them.

import { availableParallelism } from 'node:os';
import type { Digest } from '../store/base/digest.ts';
import type { Node, Store } from '../store/index.ts';
import { redactUrl } from '../store/base/http/redact.ts';
import { LateSource } from './caches/late-source.ts';
import type { CacheSettings } from './caches/open-caches.ts';
import type { UnpackWorkers } from './archive/unpack-workers.ts';
import { LocalOffer } from './execute/local-offer.ts';
import type { Fetch, Unpack } from './model/derivation.ts';
import type { RemoteExecution } from './model/remote.ts';
import { RemoteOffer } from './remote/remote-offer.ts';
import type { FetchContext, UnpackContext } from './perform/perform.ts';
import type { Mirrors } from './sources/mirrors.ts';
import type { FetchPlaces } from './sources/places.ts';
import { Workshop } from './workshop.ts';

export interface OpenWorkshopOptions {
  readonly store: Store;
  /** Sandboxes at once, and processes at once of all makes in them together; the number of cores when not given. */
  readonly jobs?: number;
  /** Where others put what they made; nowhere, when not given. */
  readonly caches?: CacheSettings;
  /** Workers that commands are run on, beside or in place of this machine; none, when not given. */
  readonly executor?: RemoteExecution;
  /** The server of workers where content may have stayed: that of `executor`, when not given. */
  readonly workers?: string | undefined;
  /** Where tokens for them are found. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How large all compile caches may be together: 5 GiB when not given. With 0 none is used. */
  readonly compileCacheBytes?: number;
}

/** A kernel's compile cache takes some hundred MB. */
const usualCompileCacheBytes = 5 * 1024 ** 3;

/** How many downloads run at once: enough to fill a line, few enough for a mirror. */
const fetchSlots = 6;
/** Work on this thread waits only for its batch to become durable; many may wait together and share one flush. */
const inlineSlots = 64;

/** A workshop on this machine. Close it before the store. */
export function openWorkshop({
  store,
  jobs = availableParallelism(),
  caches,
  executor,
  workers = executor?.endpoint,
  env = {},
  compileCacheBytes = usualCompileCacheBytes,
}: OpenWorkshopOptions): Workshop {
  const downloads = new Downloads(store);
  const archives = new Archives(store);
  const workersOffer = executor && new RemoteOffer(store, executor, env);
  const local = new LocalOffer(store, jobs, workersOffer?.pace);
  return new Workshop({
    store,
    capacities: new Map([
      ['fetch', fetchSlots],
      ['unpack', availableParallelism()],
      ['inline', inlineSlots],
    ]),
    executors: workersOffer === undefined ? [local] : [workersOffer, local],
    overflows: executor?.shared === true,
    compileCacheBytes,
    fetch: (derivation, context) => downloads.fetch(derivation, context),
    unpack: (derivation, archive, context) => archives.unpack(derivation, archive, context),
    elsewhere: sourceOf({ ...noCaches, env, ...caches, workers }),
    close: () => archives.close(),
  });
}

const noCaches: Omit<CacheSettings, 'env'> = { caches: [], trust: { keys: [], need: 1 } };

// Undefined where there is nothing to ask.
function sourceOf(settings: CacheSettings): LateSource | undefined {
  const { caches, workers } = settings;
  const urls = [...(workers === undefined ? [] : [workers]), ...caches.map(({ url }) => url)];
  if (urls.length === 0) return undefined;
  const name = urls.map((url) => redactUrl(url)).join(', ');
  return new LateSource(name, async () => (await import('./caches/open-caches.ts')).openCaches(settings));
}

class Downloads {
  readonly #store: Store;
  /** By what flakes say of mirrors: what was learnt of one stays known for the next build. */
  readonly #mirrors = new Map<string, Mirrors>();

  constructor(store: Store) {
    this.#store = store;
  }

  async fetch(derivation: Fetch, context: FetchContext & FetchPlaces): Promise<Digest> {
    const { batch, signal, onProgress, mirrors, lock, offline } = context;
    const [{ fetchBlob }, { openMirrors }, { pinOrigins }] = await Promise.all([
      import('./sources/fetch.ts'),
      import('./sources/mirrors.ts'),
      import('./lock/pins-for.ts'),
    ]);
    const key = JSON.stringify(mirrors);
    const opened = this.#mirrors.get(key) ?? openMirrors({ configured: mirrors });
    this.#mirrors.set(key, opened);
    return fetchBlob(derivation, {
      store: this.#store,
      batch,
      signal,
      onProgress,
      mirrors: opened,
      offline,
      origin: pinOrigins(await lock())(derivation.sha256),
    });
  }
}

class Archives {
  readonly #store: Store;
  #workers: UnpackWorkers | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async unpack(derivation: Unpack, archive: Digest, { batch, signal }: UnpackContext): Promise<Node> {
    const [{ unpackArchive }, { limitsWith }, { UnpackWorkers }] = await Promise.all([
      import('./archive/unpack-archive.ts'),
      import('./archive/limits.ts'),
      import('./archive/unpack-workers.ts'),
    ]);
    this.#workers ??= new UnpackWorkers();
    const [path, scratch] = await Promise.all([
      this.#store.blobs.path(archive, false),
      this.#store.scratch('unpack'),
    ]);
    const { name, strip, exclude, limits } = derivation;
    return unpackArchive(path, {
      ...{ name, strip, exclude, batch, scratch, signal },
      limits: limitsWith(limits),
      workers: this.#workers,
    });
  }

  async close(): Promise<void> {
    await this.#workers?.close();
  }
}
