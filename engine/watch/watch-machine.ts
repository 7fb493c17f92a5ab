// When to look, when to build, and when to give a build up: events in, wishes out. It is told the time and asks for none,
// and knows no file, no config and no process: what was found is a key to it, equal when there is nothing new to build.

/** What has changed since the last look: these paths, or nobody knows what. */
export type Changed = 'anything' | ReadonlySet<string>;

export type WatchInput =
  /** Files have changed. */
  | { readonly type: 'changed'; readonly changes: Changed }
  /** Something may have changed unseen, and may do so for a moment more: a later look is due. */
  | { readonly type: 'unsure' }
  /** A look is over. Without a key it failed: nobody can say what is to be built. */
  | { readonly type: 'looked'; readonly key: string | undefined }
  /** A build is over. */
  | { readonly type: 'built'; readonly outcome: 'ok' | 'failed' | 'cancelled' }
  /** The time that was asked for has come. */
  | { readonly type: 'woken' };

export type WatchWish =
  /** `isLate`: nothing is known to have changed, but may have. */
  | { readonly type: 'look'; readonly changes: Changed; readonly isLate: boolean }
  /** Build what the last look found. Nothing else is being built. */
  | { readonly type: 'build' }
  /** What is being built is stale. Its end is to be told all the same. */
  | { readonly type: 'cancel' }
  /** The newest there is was built: do what is to be done with it. */
  | { readonly type: 'follow' };

/** Milliseconds. */
export interface WatchTimes {
  /** How long nothing must have changed before a look: editors write a file in several moves. */
  readonly quietMs: number;
  /** The same after more than `manyPaths` have changed: a branch switch makes pauses. */
  readonly quietAfterManyMs: number;
  /** After so long something is done even if there is no quiet. */
  readonly patienceMs: number;
  /** How long after the last time that something was unsure a look is due. */
  readonly againMs: number;
}

export const usualTimes: WatchTimes = {
  quietMs: 50,
  quietAfterManyMs: 250,
  patienceMs: 2000,
  againMs: 1000,
};

const manyPaths = 50;
/** More are not remembered one by one. */
const rememberedPaths = 1000;

interface Gathered {
  readonly changes: Changed;
  readonly firstMs: number;
  readonly lastMs: number;
}

export class WatchMachine {
  readonly #times: WatchTimes;
  /** Has changed, and was not looked at. */
  #gathered: Gathered | undefined;
  /** Set while a look is under way. */
  #look: { readonly isLate: boolean } | undefined;
  #building: { readonly key: string; readonly isStale: boolean } | undefined;
  /** To be built as soon as nothing else is. */
  #next: { readonly key: string; readonly sinceMs: number } | undefined;
  /** The last that came to an end, if that was a failure only until something is saved. */
  #built: { readonly key: string; readonly isOk: boolean } | undefined;
  #againAtMs: number | undefined;

  constructor(times: WatchTimes = usualTimes) {
    this.#times = times;
  }

  /** What is to be done now. `nowMs` never goes back. */
  take(input: WatchInput, nowMs: number): WatchWish[] {
    const wishes = this.#heed(input, nowMs);
    if (this.#isLookDue(nowMs)) wishes.push(this.#beginLook());
    if (this.#isBuildDue(nowMs)) {
      this.#building = { key: this.#next!.key, isStale: false };
      this.#next = undefined;
      wishes.push({ type: 'build' });
    }
    return wishes;
  }

  /** When it wants to be woken, unless something else happens first. */
  wakeAtMs(): number | undefined {
    const times = [
      this.#look === undefined ? this.#quietAtMs() : undefined,
      this.#look === undefined && this.#gathered === undefined ? this.#againAtMs : undefined,
      this.#building === undefined ? this.#next && this.#next.sinceMs + this.#times.patienceMs : undefined,
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** True while nothing is under way and nothing is known to be to do, but perhaps a later look. */
  isAtRest(): boolean {
    return [this.#gathered, this.#look, this.#building, this.#next].every((one) => one === undefined);
  }

  #heed(input: WatchInput, nowMs: number): WatchWish[] {
    switch (input.type) {
      case 'changed':
        this.#gather(input.changes, nowMs);
        return [];
      case 'unsure':
        this.#againAtMs = nowMs + this.#times.againMs;
        return [];
      case 'looked':
        return this.#looked(input.key, nowMs);
      case 'built':
        return this.#ended(input.outcome);
      case 'woken':
        return [];
    }
  }

  #gather(changes: Changed, nowMs: number): void {
    const before = this.#gathered;
    const all = before === undefined ? changes : joinChanged(before.changes, changes);
    this.#gathered = { changes: all, firstMs: before?.firstMs ?? nowMs, lastMs: nowMs };
  }

  #looked(key: string | undefined, nowMs: number): WatchWish[] {
    const { isLate } = this.#look!;
    this.#look = undefined;
    // A failure may have come from what no look can see: whoever saves something wants it tried again.
    if (!isLate && this.#built?.isOk === false) this.#built = undefined;
    // What is wrong now may be mended in a moment, and the build under way be right again.
    if (key === undefined) this.#next = undefined;
    else if (this.#building?.isStale === false) {
      if (this.#building.key === key) return [];
      this.#building = { ...this.#building, isStale: true };
      this.#next = { key, sinceMs: nowMs };
      return [{ type: 'cancel' }];
    } else if (this.#building === undefined && this.#built?.key === key) this.#next = undefined;
    else this.#next = { key, sinceMs: this.#next?.sinceMs ?? nowMs };
    return [];
  }

  #ended(outcome: 'ok' | 'failed' | 'cancelled'): WatchWish[] {
    const { key, isStale } = this.#building!;
    this.#building = undefined;
    this.#built = outcome === 'cancelled' ? undefined : { key, isOk: outcome === 'ok' };
    // It may have been done before it heard that it was stale, and be what is wanted by now.
    const isWanted = !isStale || this.#next?.key === key;
    if (outcome !== 'ok' || !isWanted) return [];
    this.#next = undefined;
    return [{ type: 'follow' }];
  }

  #isLookDue(nowMs: number): boolean {
    if (this.#look !== undefined) return false;
    const dueMs = this.#gathered === undefined ? this.#againAtMs : this.#quietAtMs();
    return dueMs !== undefined && dueMs <= nowMs;
  }

  #beginLook(): WatchWish {
    const [changes, isLate] = [this.#gathered?.changes ?? 'anything', this.#gathered === undefined];
    this.#look = { isLate };
    if (isLate) this.#againAtMs = undefined;
    this.#gathered = undefined;
    return { type: 'look', changes, isLate };
  }

  // What has changed during the look is looked at first, unless there is no end to it.
  #isBuildDue(nowMs: number): boolean {
    if (this.#next === undefined || this.#building !== undefined) return false;
    const isSettled = this.#gathered === undefined && this.#look === undefined;
    return isSettled || nowMs >= this.#next.sinceMs + this.#times.patienceMs;
  }

  #quietAtMs(): number | undefined {
    if (this.#gathered === undefined) return undefined;
    const { changes, firstMs, lastMs } = this.#gathered;
    const isMany = changes === 'anything' || changes.size > manyPaths;
    const { quietMs, quietAfterManyMs, patienceMs } = this.#times;
    return Math.min(lastMs + (isMany ? quietAfterManyMs : quietMs), firstMs + patienceMs);
  }
}

/** All that is in either, as far as it is worth remembering. */
export function joinChanged(before: Changed, more: Changed): Changed {
  if (before === 'anything' || more === 'anything') return 'anything';
  const all = new Set([...before, ...more]);
  return all.size > rememberedPaths ? 'anything' : all;
}
