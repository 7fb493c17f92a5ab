// This machine's sandboxes as an offer to the scheduler: loaded and set up when the first command is to be run. All of them
// share one jobserver, whichever sandbox program starts them.

import type { Store } from '../../store/index.ts';
import type { Platform } from '../model/derivation.ts';
import type { Jobserver } from '../schedule/jobserver.ts';
import type { SandboxTool } from '../sandbox/tool.ts';
import type { BuildRequest, ExecuteOptions, ExecuteResult, Executor, ExecutorOffer } from './executor.ts';

export class LocalOffer implements ExecutorOffer {
  readonly pool = 'run:local';
  readonly platforms: readonly Platform[] = ['x86_64-linux'];
  readonly slots: number;
  readonly #store: Store;
  #jobserver: Promise<Jobserver> | undefined;

  constructor(store: Store, slots: number) {
    this.#store = store;
    this.slots = slots;
  }

  async open(tool: string | undefined): Promise<Executor> {
    const [{ createLocalExecutor }, { chooseSandboxTool }] = await Promise.all([
      import('./local.ts'),
      import('../sandbox/tool.ts'),
    ]);
    const chosen = await chooseSandboxTool(tool);
    this.#jobserver ??= this.#openJobserver(chosen);
    const jobserver = await this.#jobserver;
    const executor = await createLocalExecutor({ store: this.#store, tool: chosen, jobs: jobserver });
    return new TokenExecutor(executor, jobserver);
  }

  /** To be called when every executor is closed. */
  async close(): Promise<void> {
    const jobserver = await this.#jobserver?.catch(() => undefined);
    jobserver?.close();
  }

  async #openJobserver(tool: SandboxTool): Promise<Jobserver> {
    const { createJobserver } = await import('../schedule/jobserver.ts');
    return createJobserver({ folder: await this.#store.scratch('jobserver'), slots: this.slots, tool });
  }
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

  close(): Promise<void> {
    return this.#executor.close();
  }
}
