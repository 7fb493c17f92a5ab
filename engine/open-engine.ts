// Puts an engine together for this machine: its cores, its mirrors, its sandbox. The heavy parts (downloads, archives,
// the sandbox) are loaded when the first step needs them, so that a build with nothing to do never loads them.

import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Store } from '../store/index.ts';
import { Engine } from './engine.ts';
import type { Emit } from './events.ts';
import type { ExecuteOptions, ExecuteResult, BuildRequest, Executor } from './execute/executor.ts';
import type { UnpackWorkers } from './archive/unpack-workers.ts';
import type { Lock } from './lock/lock-file.ts';
import type { DerivationId } from './model/encode.ts';
import type { Fetch, Unpack } from './model/derivation.ts';
import type { FetchContext, UnpackContext } from './perform/perform.ts';
import type { Jobserver } from './schedule/jobserver.ts';
import type { Mirrors } from './sources/mirrors.ts';
import type { StepSource } from './step.ts';
import type { Digest } from '../store/base/digest.ts';
import type { Node } from '../store/index.ts';

export interface OpenEngineOptions {
  readonly store: Store;
  readonly steps: StepSource;
  readonly sandbox: DerivationId | undefined;
  /** The flake's own mirrors. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** The pins, read only when a download fails and its error should name one. */
  readonly lock: () => Lock | Promise<Lock>;
  readonly settings: Settings;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

export interface Settings {
  /** Sandboxes at once, and processes at once of all makes in them together; the number of cores when not given. */
  readonly jobs?: number;
  /** Use nothing but this machine. */
  readonly offline?: boolean;
}

/** How many downloads run at once: enough to fill a line, few enough for a mirror. */
const fetchSlots = 6;
/** Work on this thread waits only for its batch to become durable; many may wait together and share one flush. */
const inlineSlots = 64;

/** An engine on this machine. */
export function openEngine(options: OpenEngineOptions): Engine {
  const { store, steps, sandbox, emit, signal, settings } = options;
  setMaxListeners(0, signal); // every step under way listens: many are no leak
  const jobs = settings.jobs ?? availableParallelism();
  const downloads = new Downloads(options);
  const archives = new Archives(store);
  return new Engine({
    store,
    steps,
    sandbox,
    emit,
    signal,
    capacities: new Map([
      ['run:local', jobs],
      ['fetch', fetchSlots],
      ['unpack', availableParallelism()],
      ['inline', inlineSlots],
    ]),
    fetch: (derivation, context) => downloads.fetch(derivation, context),
    unpack: (derivation, archive, context) => archives.unpack(derivation, archive, context),
    openExecutor: (tool) => openLocalExecutor(store, tool, jobs),
    close: () => archives.close(),
  });
}

class Downloads {
  readonly #options: OpenEngineOptions;
  #mirrors: Mirrors | undefined;

  constructor(options: OpenEngineOptions) {
    this.#options = options;
  }

  async fetch(derivation: Fetch, { batch, signal, onProgress }: FetchContext): Promise<Digest> {
    const { store, mirrors, settings, lock } = this.#options;
    const [{ fetchBlob }, { openMirrors }, { pinOrigins }] = await Promise.all([
      import('./sources/fetch.ts'),
      import('./sources/mirrors.ts'),
      import('./lock/pins-for.ts'),
    ]);
    this.#mirrors ??= openMirrors({ configured: mirrors });
    return fetchBlob(derivation, {
      store,
      batch,
      signal,
      onProgress,
      mirrors: this.#mirrors,
      offline: settings.offline ?? false,
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
    const [{ unpackArchive }, { UnpackWorkers }] = await Promise.all([
      import('./archive/unpack-archive.ts'),
      import('./archive/unpack-workers.ts'),
    ]);
    this.#workers ??= new UnpackWorkers();
    const [path, scratch] = await Promise.all([
      this.#store.blobs.path(archive, false),
      this.#store.scratch('unpack'),
    ]);
    const { name, strip } = derivation;
    return unpackArchive(path, { name, strip, batch, scratch, signal, workers: this.#workers });
  }

  async close(): Promise<void> {
    await this.#workers?.close();
  }
}

async function openLocalExecutor(store: Store, tool: string | undefined, jobs: number): Promise<Executor> {
  const [{ createLocalExecutor }, { createJobserver }, { chooseSandboxTool }] = await Promise.all([
    import('./execute/local.ts'),
    import('./schedule/jobserver.ts'),
    import('./sandbox/tool.ts'),
  ]);
  const chosen = await chooseSandboxTool(tool);
  const jobserver = await createJobserver({
    folder: await store.scratch('jobserver'),
    slots: jobs,
    tool: chosen,
  });
  return new TokenExecutor(await createLocalExecutor({ store, tool: chosen, jobs: jobserver }), jobserver);
}

/** Holds one of the jobserver's tokens for each running request: the one that its first process works on. */
class TokenExecutor implements Executor {
  readonly #executor: Executor;
  readonly #jobserver: Jobserver;

  constructor(executor: Executor, jobserver: Jobserver) {
    this.#executor = executor;
    this.#jobserver = jobserver;
  }

  async execute(request: BuildRequest, options: ExecuteOptions): Promise<ExecuteResult> {
    const token = await this.#jobserver.acquire(options.signal);
    try {
      return await this.#executor.execute(request, options);
    } finally {
      token.release();
    }
  }

  buildersCpuMs(): number {
    return this.#executor.buildersCpuMs();
  }

  async close(): Promise<void> {
    await this.#executor.close();
    this.#jobserver.close();
  }
}
