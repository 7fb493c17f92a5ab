// Brings results to a cache while a build goes on: what has been made by then goes together, and what is made meanwhile goes next.
// Nothing that fails here fails a build, or is tried for a second step.

import type { Trust } from '../../store/caches/index.ts';
import type { Cache } from '../../store/index.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Event } from '../events.ts';
import type { Conflict } from './conflicts.ts';
import { pushSteps, type CheaperStep, type PushContext } from './push-steps.ts';

export interface PushingOptions extends Omit<PushContext, 'only' | 'judgesWanted' | 'against'> {
  readonly cache: Cache;
  /** Whose claims in the cache are compared with those of here. */
  readonly trust: Trust;
  /** Told once why nothing more is pushed. */
  readonly onNotice: (message: string) => void;
}

/** What has come of it, all together. */
export interface PushedBehind {
  readonly steps: number;
  readonly contents: number;
  readonly records: number;
  readonly sentBytes: number;
  readonly cheaper: readonly CheaperStep[];
  readonly conflicts: readonly Conflict[];
}

export class PushingBehind {
  readonly #options: PushingOptions;
  readonly #there = new Set<DerivationId>();
  readonly #conflicts = new Map<string, Conflict>();
  readonly #cheaper = new Map<DerivationId, CheaperStep>();
  readonly #sent = { contents: 0, records: 0, sentBytes: 0 };
  #made = new Set<DerivationId>();
  #running: Promise<void> | undefined;
  #hasFailed = false;

  constructor(options: PushingOptions) {
    this.#options = options;
  }

  /** To be called with everything that happens in the build. */
  hear(event: Event): void {
    if (event.type !== 'step-finished' || event.outcome.kind !== 'built') return;
    this.#made.add(event.step.id);
    this.#running ??= this.#pushMade().finally(() => (this.#running = undefined));
  }

  /** Brings what is left, and of these what was made before; resolves when nothing is under way any more. */
  async done(wanted: readonly DerivationId[]): Promise<PushedBehind> {
    while (this.#running !== undefined) await this.#running;
    if (wanted.length > 0) await this.#push(wanted);
    return {
      steps: this.#there.size,
      ...this.#sent,
      cheaper: [...this.#cheaper.values()],
      conflicts: [...this.#conflicts.values()],
    };
  }

  async #pushMade(): Promise<void> {
    // A step's end is told before its neighbours' in the same turn.
    await Promise.resolve();
    while (this.#made.size > 0) {
      const made = this.#made;
      this.#made = new Set();
      await this.#push([...made], made);
    }
  }

  async #push(wanted: readonly DerivationId[], only?: ReadonlySet<DerivationId>): Promise<void> {
    const { signal, cache, trust, onNotice } = this.#options;
    if (this.#hasFailed || isOver(signal)) return;
    try {
      const pushed = await pushSteps(wanted, {
        ...this.#options,
        judgesWanted: true,
        against: { cache, trust },
        ...(only && { only }),
      });
      for (const { id } of pushed.steps) this.#there.add(id);
      for (const one of pushed.cheaper) this.#cheaper.set(one.step.id, one);
      for (const one of pushed.conflicts)
        this.#conflicts.set(`${one.step.id} ${one.output} ${one.signers.join()}`, one);
      this.#sent.contents += pushed.contents;
      this.#sent.records += pushed.records;
      this.#sent.sentBytes += pushed.sentBytes;
    } catch (error) {
      if (isOver(signal)) return;
      this.#hasFailed = true;
      onNotice(
        `nothing more is pushed to ${cache.name}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

// Asked again: it may be aborted while something is waited for.
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}
