// How much may be under way at once, and who is next. A slot belongs to a pool: downloads, archives, each executor. All
// builds of a workshop ask here, and whoever has the longest way behind it is served first, whichever build it is of; where
// several pools will do, in the one that it is expected to be finished in first. Knows nothing of steps.

import { earliestFinish, leftMs, type Place } from './earliest-finish.ts';
import { PriorityQueue } from './priority-queue.ts';
import { wallClock, type Clock } from './clock.ts';

/** What slots are counted for: kinds of work of this process, and executors by name. */
export type PoolName = 'fetch' | 'unpack' | 'inline' | `run:${string}`;

/** Permission to do one thing. */
export interface Slot {
  readonly pool: PoolName;
  /** A second call does nothing. */
  giveBack(): void;
}

export interface SlotRequest {
  /** Any of these will do; of equally good ones the first is taken. */
  readonly pools: readonly PoolName[];
  /**
   * How many milliseconds it is expected to take in a pool of which so many slots are free for it. Without this, of several pools
   * the first with room is taken, and whoever waits for its slot expects it to be given back as if it were a usual command.
   */
  readonly takesMs?: (pool: PoolName, freeSlots: number) => number;
  /** How long the way behind it is, in milliseconds. */
  readonly priority: number;
  /** Called once, never before the present turn of the event loop has ended: who asks in one turn is compared first. */
  readonly grant: (slot: Slot) => void;
}

interface Queue {
  readonly pools: readonly PoolName[];
  readonly requests: PriorityQueue<Waiting>;
}

interface Next {
  readonly queue: Queue;
  /** With room, or one that is better waited for. */
  readonly pool: PoolName;
  readonly waitMs: number;
  readonly request: SlotRequest;
}

/** A place in a queue. */
interface Waiting {
  readonly request: SlotRequest;
  readonly asker: Asker;
}

/** Who has asked, and where he stands: what of his is found elsewhere is out of date. */
interface Asker {
  stands: Waiting | undefined;
}

interface Running {
  readonly startedMs: number;
  readonly takesMs: number;
}

/** What is done in a slot of which nobody has said how long it takes. */
const usualTakesMs = 10_000;
/** Whoever waits for what should be free by now looks again after this long. */
const momentMs = 100;

export class Slots {
  readonly #free: Map<PoolName, number>;
  /** One for each set of pools that is asked for. */
  readonly #queues = new Map<string, Queue>();
  readonly #expected = new Set<{ readonly priority: number }>();
  readonly #running = new Map<PoolName, Set<Running>>();
  /** Who waits for one pool though another had room, and is to look again when that one has not become free. */
  readonly #choosy = new Set<Waiting>();
  readonly #clock: Clock;
  #lookAgain: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #isServing = false;

  constructor(capacities: ReadonlyMap<PoolName, number>, clock: Clock = wallClock) {
    this.#free = new Map(capacities);
    this.#clock = clock;
  }

  /** Asks for a slot. Call what it gives to take the request back; after the grant that does nothing. */
  request(request: SlotRequest): () => void {
    const asker: Asker = { stands: undefined };
    this.#stand(asker, request, request.pools);
    this.#serveSoon();
    return () => {
      if (asker.stands === undefined) return;
      this.#leave(asker);
      this.#serveSoon();
    };
  }

  #stand(asker: Asker, request: SlotRequest, pools: readonly PoolName[]): Waiting {
    const waiting: Waiting = { request, asker };
    asker.stands = waiting;
    this.#queueFor(pools).requests.push(waiting, request.priority);
    return waiting;
  }

  #leave(asker: Asker): void {
    if (asker.stands !== undefined) this.#choosy.delete(asker.stands);
    asker.stands = undefined;
    if (this.#choosy.size === 0) this.#forgetToLook();
  }

  /**
   * Says that within moments somebody will ask with this priority: a slot is kept for it from whoever is less urgent. Call
   * what it gives when that has come about, or will not.
   */
  expect(priority: number): () => void {
    const expected = { priority };
    this.#expected.add(expected);
    return () => {
      if (this.#expected.delete(expected)) this.#serveSoon();
    };
  }

  /** Does work in a slot, as soon as there is one. @throws the signal's reason when it is aborted while waiting. */
  async use<T>(
    request: Omit<SlotRequest, 'grant'>,
    signal: AbortSignal,
    work: (slot: Slot) => Promise<T>,
  ): Promise<T> {
    const slot = await this.#wait(request, signal);
    try {
      return await work(slot);
    } finally {
      slot.giveBack();
    }
  }

  #wait(request: Omit<SlotRequest, 'grant'>, signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const abandon = (): void => {
        withdraw();
        reject(signal.reason as Error);
      };
      const withdraw = this.request({
        ...request,
        grant: (slot) => {
          signal.removeEventListener('abort', abandon);
          resolve(slot);
        },
      });
      signal.addEventListener('abort', abandon, { once: true });
    });
  }

  #queueFor(pools: readonly PoolName[]): Queue {
    const key = pools.join(' ');
    let queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, (queue = { pools, requests: new PriorityQueue() }));
    return queue;
  }

  #serveSoon(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    queueMicrotask(() => {
      this.#isServing = false;
      for (let next = this.#next(); next !== undefined; next = this.#next()) this.#serve(next);
    });
  }

  #serve({ queue, pool, waitMs, request }: Next): void {
    const { asker } = queue.requests.pop()!;
    this.#leave(asker);
    if (this.#hasRoom(pool, request.priority)) request.grant(this.#take(pool, request));
    else {
      this.#choosy.add(this.#stand(asker, request, [pool]));
      this.#lookAgainIn(Math.max(waitMs, momentMs));
    }
  }

  // The most urgent request that there is room for.
  #next(): Next | undefined {
    let best: { readonly queue: Queue; readonly request: SlotRequest } | undefined;
    for (const queue of this.#queues.values()) {
      while (isOutOfDate(queue.requests.peek()?.value)) queue.requests.pop();
      const request = queue.requests.peek()?.value.request;
      if (request === undefined || (best !== undefined && best.request.priority >= request.priority))
        continue;
      if (queue.pools.some((name) => this.#hasRoom(name, request.priority))) best = { queue, request };
    }
    return best && { ...best, ...this.#choose(best.queue.pools, best.request) };
  }

  #choose(pools: readonly PoolName[], request: SlotRequest): { pool: PoolName; waitMs: number } {
    const { takesMs, priority } = request;
    if (pools.length > 1 && takesMs !== undefined)
      return earliestFinish(pools.map((pool) => this.#place(pool, takesMs, priority)))!;
    return { pool: pools.find((name) => this.#hasRoom(name, priority))!, waitMs: 0 };
  }

  #place(pool: PoolName, takesMs: NonNullable<SlotRequest['takesMs']>, priority: number): Place<PoolName> {
    const hasRoom = this.#hasRoom(pool, priority);
    const nowMs = this.#clock.nowMs();
    const running = hasRoom ? [] : [...(this.#running.get(pool) ?? [])];
    const ahead = hasRoom ? [] : this.#queueFor([pool]).requests.notAfter(priority);
    return {
      pool,
      hasRoom,
      endsInMs: running.map((each) => leftMs(nowMs - each.startedMs, each.takesMs)),
      aheadMs: ahead.filter((each) => !isOutOfDate(each)).map(({ request }) => this.#takesMs(pool, request)),
      takesMs: takesMs(pool, Math.max(1, this.#free.get(pool) ?? 0)),
    };
  }

  #takesMs(pool: PoolName, { takesMs }: SlotRequest): number {
    return takesMs?.(pool, Math.max(1, this.#free.get(pool) ?? 0)) ?? usualTakesMs;
  }

  // What was expected has not come about, when it is still waited for then: everybody who waits for it chooses anew.
  #lookAgainIn(ms: number): void {
    const atMs = this.#clock.nowMs() + ms;
    if (this.#lookAgain !== undefined && this.#lookAgain.atMs <= atMs) return;
    this.#forgetToLook();
    const cancel = this.#clock.after(ms, () => {
      this.#lookAgain = undefined;
      const choosy = [...this.#choosy];
      this.#choosy.clear();
      for (const { asker, request } of choosy) this.#stand(asker, request, request.pools);
      this.#serveSoon();
    });
    this.#lookAgain = { atMs, cancel };
  }

  #forgetToLook(): void {
    this.#lookAgain?.cancel();
    this.#lookAgain = undefined;
  }

  #hasRoom(pool: PoolName, priority: number): boolean {
    const free = this.#free.get(pool) ?? 0;
    if (free === 0 || this.#expected.size < free) return free > 0;
    let moreUrgent = 0;
    for (const expected of this.#expected) if (expected.priority > priority) moreUrgent += 1;
    return free > moreUrgent;
  }

  #take(pool: PoolName, request: SlotRequest): Slot {
    const running: Running = {
      startedMs: this.#clock.nowMs(),
      takesMs: this.#takesMs(pool, request),
    };
    this.#free.set(pool, this.#free.get(pool)! - 1);
    const all = this.#running.get(pool) ?? new Set();
    this.#running.set(pool, all.add(running));
    return {
      pool,
      giveBack: () => {
        if (!all.delete(running)) return;
        this.#free.set(pool, this.#free.get(pool)! + 1);
        this.#serveSoon();
      },
    };
  }
}

function isOutOfDate(waiting: Waiting | undefined): boolean {
  return waiting !== undefined && waiting.asker.stands !== waiting;
}
