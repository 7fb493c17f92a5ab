// What lives as long as the process: one store, the slots that all builds share, executors, downloads and archives. Builds
// happen in it, one after the other or several at once, and each may be cancelled. Knows no config, no plan and no events.

import { bug, UserError } from '../store/base/errors.ts';
import type { Digest } from '../store/base/digest.ts';
import type { Node, Store } from '../store/index.ts';
import type { ContentSource } from './content-source.ts';
import { ClosedPools } from './execute/closed-pools.ts';
import type { Executor, ExecutorOffer, OfferedTool } from './execute/executor.ts';
import type { TurnedAway } from './execute/turned-away.ts';
import type { Derivation, Fetch, Unpack } from './model/derivation.ts';
import type { FetchContext, UnpackContext } from './perform/perform.ts';
import type { PoolName, Slots } from './schedule/slots.ts';
import type { FetchPlaces } from './sources/places.ts';

/** What a workshop is made of. */
export interface WorkshopOptions {
  readonly store: Store;
  /** How much of this process's own work may be under way at once. */
  readonly capacities: ReadonlyMap<Exclude<PoolName, `run:${string}`>, number>;
  /** Where commands can be run, the favourite first. */
  readonly executors: readonly ExecutorOffer[];
  /** False: a command waits for its favourite, even if another one has room. */
  readonly overflows?: boolean;
  readonly fetch: (derivation: Fetch, context: FetchContext & FetchPlaces) => Promise<Digest>;
  readonly unpack: (derivation: Unpack, archive: Digest, context: UnpackContext) => Promise<Node>;
  /** Where content is that the store does not have; nowhere, when not given. */
  readonly elsewhere?: ContentSource | undefined;
  /** How large all compile caches may be together; none is used when not given. */
  readonly compileCacheBytes?: number | undefined;
  /** Ends what `fetch`, `unpack` and the offers of executors have started. */
  readonly close: () => Promise<void>;
}

export class Workshop {
  readonly store: Store;
  readonly #options: WorkshopOptions;
  readonly #executors = new Map<string, Promise<Executor>>();
  readonly #closed = new ClosedPools();
  /** Of pools that were closed: commands may be under way there. */
  readonly #left: Promise<Executor>[] = [];
  #slots: Promise<Slots> | undefined;

  constructor(options: WorkshopOptions) {
    this.store = options.store;
    this.#options = options;
  }

  /** Loaded with the first build that has something to do: most find everything up to date. */
  slots(): Promise<Slots> {
    this.#slots ??= import('./schedule/slots.ts').then(
      ({ Slots }) => new Slots(new Map([...this.#options.capacities, ...this.#executorCapacities()])),
    );
    return this.#slots;
  }

  /**
   * Which slots will do for a step; for a command those of the executors that have its platform, and may have it, but for those that
   * could not be reached lately.
   * @param isHere true for a command that is to be done on this machine, whatever else there is
   * @throws UserError `ENVIRONMENT_UNSUPPORTED`
   */
  poolsFor(derivation: Derivation, isHere = false): readonly PoolName[] {
    if (derivation.kind === 'fetch' || derivation.kind === 'unpack') return [derivation.kind];
    if (derivation.kind !== 'run') return ['inline'];
    const { executors, overflows = true } = this.#options;
    const fit = executors.filter(({ platforms }) => platforms.includes(derivation.platform));
    const allowed = isHere || derivation.remote === false ? fit.filter((offer) => offer.isHere) : fit;
    const open = allowed.filter(({ pool }) => this.#closed.why(pool) === undefined);
    const favoured = overflows ? (open.length > 0 ? open : allowed) : allowed.slice(0, 1);
    if (favoured.length > 0) return favoured.map(({ pool }) => pool);
    const known = [...new Set(executors.flatMap(({ platforms }) => platforms))].join(', ');
    throw new UserError(
      'ENVIRONMENT_UNSUPPORTED',
      `${derivation.name} runs on ${derivation.platform}, and nothing here does`,
      { hint: `There is ${known}.`, fault: 'environment' },
    );
  }

  /** True when it may be a question where a command is run. */
  get hasChoice(): boolean {
    const { executors, overflows = true } = this.#options;
    return overflows && executors.length > 1;
  }

  /** The executor behind a pool, unopened. */
  offerOf(pool: PoolName): ExecutorOffer {
    return this.#options.executors.find((one) => one.pool === pool) ?? bug(`${pool} is no executor`);
  }

  /** True for a pool whose commands run on this machine. */
  isHere(pool: PoolName): boolean {
    return this.#options.executors.some((offer) => offer.pool === pool && offer.isHere);
  }

  /**
   * The executor behind a pool, opened if need be, for steps whose sandboxes are made with this tool.
   * @throws TurnedAway while it is closed
   */
  async executor(pool: PoolName, tool: OfferedTool | undefined): Promise<Executor> {
    const why = this.#closed.why(pool);
    if (why !== undefined) throw why;
    const key = keyOf(pool, tool);
    let executor = this.#executors.get(key);
    if (executor === undefined) {
      this.#executors.set(key, (executor = this.offerOf(pool).open(tool)));
      // What could not be opened is tried again by the next build.
      executor.catch(() => this.#executors.delete(key));
    }
    return executor;
  }

  /**
   * Gives nothing to an executor for a while that could not be reached, if others may have what it would have had; then it is opened
   * anew. False: that was done already.
   */
  closePool(pool: PoolName, why: TurnedAway): boolean {
    if (!this.#closed.close(pool, why)) return false;
    for (const [key, executor] of this.#executors) {
      if (!key.startsWith(keyOf(pool))) continue;
      this.#executors.delete(key);
      this.#left.push(executor);
    }
    return true;
  }

  fetch(derivation: Fetch, context: FetchContext & FetchPlaces): Promise<Digest> {
    return this.#options.fetch(derivation, context);
  }

  get compileCacheBytes(): number {
    return this.#options.compileCacheBytes ?? 0;
  }

  get elsewhere(): ContentSource | undefined {
    return this.#options.elsewhere;
  }

  unpack(derivation: Unpack, archive: Digest, context: UnpackContext): Promise<Node> {
    return this.#options.unpack(derivation, archive, context);
  }

  /** Processor time that commands have used so far, in milliseconds. */
  async buildersCpuMs(): Promise<number> {
    const executors = await this.#opened();
    return executors.reduce((sum, executor) => sum + executor.buildersCpuMs(), 0);
  }

  /** Ends whatever was opened, before the store is closed. */
  async close(): Promise<void> {
    for (const executor of await this.#opened()) await executor.close();
    await this.#options.close();
  }

  async #opened(): Promise<Executor[]> {
    const settled = await Promise.allSettled([...this.#left, ...this.#executors.values()]);
    return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  #executorCapacities(): [PoolName, number][] {
    return this.#options.executors.map(({ pool, slots }) => [pool, slots]);
  }
}

function keyOf(pool: PoolName, tool?: OfferedTool): string {
  return `${pool} ${tool?.tree ?? ''}`;
}
