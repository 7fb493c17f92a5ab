// This machine's sandboxes as an offer to the scheduler: loaded and set up when the first command is to be run. All of them
// share one jobserver, whichever sandbox program starts them.

import type { Store } from '../../store/index.ts';
import type { Platform } from '../model/derivation.ts';
import type { Jobserver } from '../schedule/jobserver.ts';
import type { Executor, ExecutorOffer, OfferedTool } from './executor.ts';

export class LocalOffer implements ExecutorOffer {
  readonly pool = 'run:local';
  readonly platforms: readonly Platform[] = ['x86_64-linux'];
  readonly slots: number;
  readonly isHere = true;
  /** A sandbox takes some hundredths of a second. */
  readonly overheadMs = 20;
  readonly #store: Store;
  #jobs: Jobserver | undefined;

  constructor(store: Store, slots: number) {
    this.#store = store;
    this.slots = slots;
  }

  /** Whoever runs by himself has all that the jobserver gives; among many, each has one. */
  coresOf(freeSlots: number): number {
    return freeSlots;
  }

  isKnownThere(): boolean {
    return true;
  }

  async open(tool: OfferedTool | undefined): Promise<Executor> {
    const [{ createLocalExecutor }, { chooseSandboxTool }, { Jobserver }] = await Promise.all([
      import('./local.ts'),
      import('../sandbox/tool.ts'),
      import('../schedule/jobserver.ts'),
    ]);
    this.#jobs ??= new Jobserver(this.slots);
    return createLocalExecutor({
      store: this.#store,
      tool: await chooseSandboxTool(await tool?.folder()),
      jobs: this.#jobs,
    });
  }
}
