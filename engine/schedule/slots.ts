// How much may be under way at once, and who is next. A slot belongs to a pool: downloads, archives, each executor. All
// builds of a workshop ask here, and whoever has the longest way behind it is served first, whichever build it is of.
// Knows nothing of steps.

import { PriorityQueue } from './priority-queue.ts';

/** What slots are counted for: kinds of work of this process, and executors by name. */
export type PoolName = 'fetch' | 'unpack' | 'inline' | `run:${string}`;

/** Permission to do one thing. */
export interface Slot {
  readonly pool: PoolName;
  /** A second call does nothing. */
  giveBack(): void;
}

export interface SlotRequest {
  /** Any of these will do; the first one with room is taken. */
  readonly pools: readonly PoolName[];
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
  readonly pool: PoolName;
  readonly request: SlotRequest;
}

interface Waiting {
  readonly request: SlotRequest;
  isWithdrawn: boolean;
}

export class Slots {
  readonly #free: Map<PoolName, number>;
  /** One for each set of pools that is asked for. */
  readonly #queues = new Map<string, Queue>();
  readonly #expected = new Set<{ readonly priority: number }>();
  #isServing = false;

  constructor(capacities: ReadonlyMap<PoolName, number>) {
    this.#free = new Map(capacities);
  }

  /** Asks for a slot. Call what it gives to take the request back; after the grant that does nothing. */
  request(request: SlotRequest): () => void {
    const waiting: Waiting = { request, isWithdrawn: false };
    this.#queueFor(request.pools).requests.push(waiting, request.priority);
    this.#serveSoon();
    return () => {
      waiting.isWithdrawn = true;
      this.#serveSoon();
    };
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
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        next.queue.requests.pop();
        next.request.grant(this.#take(next.pool));
      }
    });
  }

  // The most urgent request that there is room for.
  #next(): Next | undefined {
    let best: Next | undefined;
    for (const queue of this.#queues.values()) {
      while (queue.requests.peek()?.value.isWithdrawn === true) queue.requests.pop();
      const request = queue.requests.peek()?.value.request;
      if (request === undefined || (best !== undefined && best.request.priority >= request.priority))
        continue;
      const pool = queue.pools.find((name) => this.#hasRoom(name, request.priority));
      if (pool !== undefined) best = { queue, pool, request };
    }
    return best;
  }

  #hasRoom(pool: PoolName, priority: number): boolean {
    const free = this.#free.get(pool) ?? 0;
    if (free === 0 || this.#expected.size < free) return free > 0;
    let moreUrgent = 0;
    for (const expected of this.#expected) if (expected.priority > priority) moreUrgent += 1;
    return free > moreUrgent;
  }

  #take(pool: PoolName): Slot {
    this.#free.set(pool, this.#free.get(pool)! - 1);
    let isTaken = true;
    return {
      pool,
      giveBack: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#free.set(pool, this.#free.get(pool)! + 1);
        this.#serveSoon();
      },
    };
  }
}
