// Which of several pools a request is served in, told by a clock that the tests let go by.

import { describe, expect, it } from 'vitest';
import { Slots, type PoolName, type Slot } from '../../../engine/schedule/slots.ts';
import { VirtualTime } from '../../bench/simulation/virtual-time.ts';

const here: PoolName = 'run:here';
const away: PoolName = 'run:away';

class Rig {
  readonly time = new VirtualTime();
  readonly granted: [name: string, pool: PoolName, atMs: number][] = [];
  readonly held = new Map<string, Slot>();
  readonly #slots = new Slots(
    new Map([
      [here, 1],
      [away, 1],
    ]),
    this.time,
  );

  /** Asks for a slot. What is granted is held for `holdsMs`, or for good. */
  ask(
    name: string,
    takes: Partial<Record<PoolName, number>>,
    { priority = 0, holdsMs }: { readonly priority?: number; readonly holdsMs?: number } = {},
  ): () => void {
    return this.#slots.request({
      pools: Object.keys(takes) as PoolName[],
      priority,
      takesMs: (pool) => takes[pool]!,
      grant: (slot) => {
        this.granted.push([name, slot.pool, this.time.nowMs()]);
        this.held.set(name, slot);
        if (holdsMs !== undefined) this.time.after(holdsMs, () => slot.giveBack());
      },
    });
  }
}

describe('of several pools', () => {
  it('the one is taken where the end comes first', async () => {
    const rig = new Rig();
    rig.ask('near', { [away]: 30, [here]: 20 });
    await rig.time.run();
    expect(rig.granted).toEqual([['near', here, 0]]);
  });

  it('the better one is waited for, and others get the slot that was passed over', async () => {
    const rig = new Rig();
    rig.ask('first', { [here]: 1000 }, { priority: 3, holdsMs: 1000 });
    rig.ask('near', { [away]: 5000, [here]: 2000 }, { priority: 2 });
    rig.ask('far', { [away]: 2000, [here]: 2000 }, { priority: 1 });
    await rig.time.run();
    expect(rig.granted).toEqual([
      ['first', here, 0],
      ['far', away, 0],
      ['near', here, 1000],
    ]);
  });

  it('those are counted that wait for one already', async () => {
    const rig = new Rig();
    rig.ask('first', { [here]: 1000 }, { priority: 4, holdsMs: 1000 });
    rig.ask('near', { [away]: 5000, [here]: 2000 }, { priority: 3, holdsMs: 2000 });
    // After 1000 and 2000 more it would take 2000 here: 5000, and away one less.
    rig.ask('next', { [away]: 4999, [here]: 2000 }, { priority: 2 });
    await rig.time.run();
    expect(rig.granted).toEqual([
      ['first', here, 0],
      ['next', away, 0],
      ['near', here, 1000],
    ]);
  });

  it('what is waited for in vain is waited for no longer', async () => {
    const rig = new Rig();
    rig.ask('endless', { [here]: 1000 }, { priority: 2 });
    rig.ask('near', { [away]: 5000, [here]: 2000 }, { priority: 1 });
    await rig.time.run();
    // After 1000 ms another 1000 are expected, after 2000 another 2000, which makes 4000; after 4000, 4000 and 2000 are too much.
    expect(rig.granted).toEqual([
      ['endless', here, 0],
      ['near', away, 4000],
    ]);
  });

  it('a request that is taken back while it waits for the better one is nobody’s any more', async () => {
    const rig = new Rig();
    rig.ask('first', { [here]: 1000 }, { priority: 2, holdsMs: 1000 });
    const takeBack = rig.ask('near', { [away]: 5000, [here]: 2000 }, { priority: 1 });
    rig.time.after(500, takeBack);
    await rig.time.run();
    expect(rig.granted).toEqual([['first', here, 0]]);
    expect(rig.time.nowMs()).toBe(1000);
  });
});
