// Who gets a slot, and who gives it back.

import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../engine/events.ts';
import { compose, type Derivation } from '../../engine/model/derivation.ts';
import { command } from '../support/steps.ts';
import { schedule, busyForever, treeOf, built, failed, slotsFor } from '../support/scheduling.ts';

describe('slots of the scheduler', () => {
  describe('with a chain of four beside ten single steps', () => {
    const chain = ['one', 'two', 'three', 'four'].reduce<Derivation[]>(
      (above, name) => [...above, command(name, ...above.slice(-1))],
      [],
    );
    const singles = Array.from({ length: 10 }, (_, at) => command(`single-${at}`));
    const durations = Object.fromEntries([...chain, ...singles].map(({ name }) => [name, 1000]));
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    // A link is started as soon as the link before it is done; the last one has no longer way behind it than a single.
    const places = (started: readonly string[]): number[] =>
      ['one', 'two', 'three'].map((name) => started.indexOf(name));
    const first = { 1: [0, 1, 2], 2: [0, 2, 4] } as const;

    it.each([1, 2] as const)('takes the chain first at every turn, with %i slots', async (slots) => {
      const { started } = await schedule(command('top', chain.at(-1)!, ...singles), {
        run: slots,
        durations,
        perform: async (name) => {
          await turn();
          return built(name);
        },
      });
      expect(places(started)).toEqual(first[slots]);
      expect(started).toHaveLength(15);
    });

    it('keeps its slot for the next link while the last one is written down', async () => {
      const { started } = await schedule(command('top', chain.at(-1)!, ...singles), {
        run: 1,
        durations,
        perform: async (name, _, slot) => {
          await turn();
          slot.workIsDone();
          for (let turns = 0; turns < 5; turns++) await turn();
          return built(name);
        },
      });
      expect(places(started)).toEqual(first[1]);
    });

    it('keeps it while a composition between two links is made, too', async () => {
      const between = compose({ name: 'between', parts: [command('one')] });
      const { started } = await schedule(command('top', command('two', between), ...singles), {
        run: 1,
        durations: { ...durations, two: 3000 },
        perform: async (name, _, slot) => {
          await turn();
          slot.workIsDone();
          for (let turns = 0; turns < 5; turns++) await turn();
          return built(name);
        },
      });
      expect(started.slice(0, 3)).toEqual(['one', 'between', 'two']);
    });
  });

  it('lets others begin while a step is written down that nothing more urgent waits for', async () => {
    let isWritten = false;
    const { started } = await schedule(command('top', command('first'), command('second')), {
      run: 1,
      durations: { first: 20_000, second: 10_000 },
      perform: async (name, _, slot) => {
        slot.workIsDone();
        if (name === 'second') expect(isWritten).toBe(false);
        for (let turns = 0; name === 'first' && turns < 5; turns++)
          await new Promise((resolve) => setImmediate(resolve));
        isWritten = true;
        return built(name);
      },
    });
    expect(started).toEqual(['first', 'second', 'top']);
  });

  it('gives the slot of a step that another process is doing to others, and takes what that gave', async () => {
    let freed!: () => void;
    const busy = new Promise<void>((resolve) => (freed = resolve));
    let isRealised = false;
    const { started, outcomes } = await schedule(command('top', command('elsewhere'), command('here')), {
      run: 1,
      durations: { elsewhere: 20_000 },
      perform: (name) => {
        if (name === 'elsewhere') return { kind: 'busy', freed: () => busy };
        if (name === 'here') {
          isRealised = true;
          freed();
        }
        return built(name);
      },
      realised: ({ step }) =>
        isRealised && step.derivation.name === 'elsewhere' ? treeOf('elsewhere') : undefined,
    });
    expect(started).toEqual(['elsewhere', 'here', 'top']);
    expect(Object.fromEntries(outcomes)).toEqual({ elsewhere: 'reused', here: 'built', top: 'built' });
  });

  it('does a step itself when the process that was at it ended without a result', async () => {
    let attempts = 0;
    const { outcomes } = await schedule(command('step'), {
      perform: (name) => (++attempts === 1 ? { kind: 'busy', freed: () => Promise.resolve() } : built(name)),
    });
    expect(outcomes.get('step')).toBe('built');
  });

  it('is not held up by a busy step when it is cancelled', async () => {
    const controller = new AbortController();
    const { outcomes } = await schedule(command('step'), {
      signal: controller.signal,
      perform: () => {
        setImmediate(() => controller.abort(new Error('stop')));
        return busyForever();
      },
    });
    expect(outcomes.get('step')).toBe('cancelled');
  });

  it('does not wait for what another process is at once another step has failed', async () => {
    const { outcomes } = await schedule(command('top', command('elsewhere'), command('bad')), {
      perform: (name) => (name === 'bad' ? failed : busyForever()),
    });
    expect(Object.fromEntries(outcomes)).toEqual({ elsewhere: 'cancelled', bad: 'failed', top: 'skipped' });
  });

  it('never runs more at once than there are slots', async () => {
    let running = 0;
    let most = 0;
    const leaves = Array.from({ length: 20 }, (_, at) => command(`leaf-${at}`));
    await schedule(command('top', ...leaves), {
      run: 3,
      perform: async (name) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return built(name);
      },
    });
    expect(most).toBe(3);
  });

  it("shares slots among builds, and what a cancelled build asked for is nobody's", async () => {
    const slots = slotsFor(1);
    const controller = new AbortController();
    const order: string[] = [];
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    const perform = async (name: string): Promise<Outcome> => {
      order.push(name);
      if (name === 'blocking') await released;
      return built(name);
    };
    const rig = { slots, perform };
    const blocking = schedule(command('blocking'), rig);
    const given = schedule(command('given-up'), { ...rig, signal: controller.signal });
    const short = schedule(command('short'), { ...rig, durations: { short: 1 } });
    const long = schedule(command('long'), { ...rig, durations: { long: 1000 } });
    controller.abort();
    expect((await given).outcomes.get('given-up')).toBe('cancelled');
    release();
    await Promise.all([blocking, short, long]);
    expect(order).toEqual(['blocking', 'long', 'short']);
  });
});
