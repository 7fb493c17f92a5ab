// This machine's sandboxes as an offer to the scheduler: loaded and set up when the first command is to be run. All of them
// share one jobserver, whichever sandbox program starts them.

import type { Store } from '../../store/index.ts';
import type { Platform } from '../model/derivation.ts';
import type { Jobserver } from '../schedule/jobserver.ts';
import { usualPace, type Pace } from '../schedule/pace.ts';
import type { Executor, ExecutorOffer, OfferedTool } from './executor.ts';

/** A sandbox takes some hundredths of a second. */
const sandboxMs = 20;

export class LocalOffer implements ExecutorOffer {
  readonly pool = 'run:local';
  readonly platforms: readonly Platform[] = ['x86_64-linux'];
  readonly slots: number;
  readonly isHere = true;
  readonly #store: Store;
  readonly #line: Pick<Pace, 'bytesPerSecond'>;
  #jobs: Jobserver | undefined;

  /** @param line what a command needs comes along, when it is not here */
  constructor(store: Store, slots: number, line: Pick<Pace, 'bytesPerSecond'> = usualPace) {
    this.#store = store;
    this.slots = slots;
    this.#line = line;
  }

  get pace(): Pace {
    const { bytesPerSecond } = this.#line;
    return { ...usualPace, overheadMs: sandboxMs, bytesPerSecond };
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
