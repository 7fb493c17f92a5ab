import { describe, expect, it } from 'vitest';
import { digestOf } from '../../store/base/digest.ts';
import { MissingBlob } from '../../store/store.ts';
import type { Outcome, Outputs } from '../../engine/events.ts';
import { compose, fetchUrl, from, run, unpack, type Derivation } from '../../engine/model/derivation.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import type { PlanFacts } from '../../engine/plan/facts.ts';
import { makePlan } from '../../engine/plan/planner.ts';
import type { ResolvedStep } from '../../engine/plan/resolve.ts';
import { runPlan } from '../../engine/schedule/scheduler.ts';
import type { Busy, StepSlot } from '../../engine/schedule/step-work.ts';
import { Slots, type PoolName } from '../../engine/schedule/slots.ts';
import { command, stepSource } from '../support/steps.ts';

const nothingKnown: PlanFacts = {
  memo: () => undefined,
  realisation: () => undefined,
  lineage: () => undefined,
  description: () => undefined,
  duration: () => undefined,
  hasOutputs: () => false,
  lookup: () => undefined,
};

interface Rig {
  readonly perform: (
    name: string,
    resolved: ResolvedStep,
    slot: StepSlot,
  ) => Promise<Outcome | Busy> | Outcome | Busy;
  readonly keepGoing?: boolean;
  readonly run?: number;
  readonly slots?: Slots;
  readonly durations?: Readonly<Record<string, number>>;
  readonly signal?: AbortSignal;
  readonly producers?: (ids: Iterable<DerivationId>) => ReadonlySet<DerivationId>;
  readonly realised?: (resolved: ResolvedStep) => Outputs | undefined;
}

function slotsFor(run: number): Slots {
  return new Slots(
    new Map<PoolName, number>([
      ['run:local', run],
      ['fetch', 1],
      ['unpack', 1],
      ['inline', 64],
    ]),
  );
}

// Runs a graph with steps done by `perform`; gives the outcome of each by name, and the order of starts.
async function schedule(
  wanted: Derivation,
  rig: Rig,
): Promise<{ outcomes: Map<string, Outcome['kind']>; started: string[] }> {
  const { steps, idOf } = stepSource(wanted);
  const facts: PlanFacts = {
    ...nothingKnown,
    duration: (lineage) => rig.durations?.[lineage.split('@')[0]!],
  };
  const started: string[] = [];
  const outcomes = await runPlan(makePlan([idOf(wanted)], { steps, facts }), {
    slots: rig.slots ?? slotsFor(rig.run ?? 2),
    poolsFor: ({ derivation: { kind } }) => [
      kind === 'run' ? 'run:local' : kind === 'fetch' || kind === 'unpack' ? kind : 'inline',
    ],
    keepGoing: rig.keepGoing ?? false,
    signal: rig.signal ?? new AbortController().signal,
    lookup: () => undefined,
    sandbox: undefined,
    realised: rig.realised ?? (() => undefined),
    producers: rig.producers ?? (() => new Set()),
    replan: (lost) => makePlan([...lost], { steps, facts, rebuild: lost }),
    perform: async (resolved, slot) => {
      started.push(resolved.step.derivation.name);
      return rig.perform(resolved.step.derivation.name, resolved, slot);
    },
    onFinish: () => undefined,
  });
  return {
    started,
    outcomes: new Map([...outcomes].map(([id, { kind }]) => [steps(id).derivation.name, kind])),
  };
}

const busyForever = (): Busy => ({
  kind: 'busy',
  freed: (signal) =>
    new Promise((_, reject) => {
      if (signal.aborted) reject(signal.reason as Error);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    }),
});
const treeOf = (content: string): Outputs => ({
  out: { kind: 'tree', digest: digestOf(Buffer.from(content)) },
});
const built = (content: string): Outcome => ({
  kind: 'built',
  outputs: treeOf(content),
  durationMs: 1,
  log: undefined,
});
const failed: Outcome = {
  kind: 'failed',
  durationMs: 1,
  failure: {
    reason: { kind: 'exit', status: 1 },
    message: '',
    hint: undefined,
    code: '',
    logTail: [],
    logFile: undefined,
    keptFolder: undefined,
  },
};

describe('the scheduler', () => {
  it('starts a step only when all of its inputs are done', async () => {
    const done = new Set<string>();
    const a = command('a');
    const [b, c] = [command('b', a), command('c', a)];
    await schedule(command('d', b, c), {
      perform: async (name) => {
        const needs: Record<string, string[]> = { a: [], b: ['a'], c: ['a'], d: ['b', 'c'] };
        expect(needs[name]!.every((need) => done.has(need))).toBe(true);
        await new Promise((resolve) => setImmediate(resolve));
        done.add(name);
        return built(name);
      },
    });
    expect(done).toEqual(new Set(['a', 'b', 'c', 'd']));
  });

  it('starts first what has the longest way behind it', async () => {
    const [short, long] = [command('short'), command('long')];
    const { started } = await schedule(command('top', short, command('after-long', long)), {
      run: 1,
      durations: { short: 10, long: 10, 'after-long': 50, top: 1 },
      perform: (name) => built(name),
    });
    expect(started).toEqual(['long', 'after-long', 'short', 'top']);
  });

  it('starts first what has the largest source, as long as nothing was ever timed', async () => {
    const build = (name: string, sizeBytes: number): Derivation => {
      const archive = fetchUrl({
        name: `${name}.tar`,
        urls: ['https://example.org/a'],
        sha256: name.padEnd(64, '0'),
        sizeBytes,
      });
      const source = unpack({ name: `${name}-source`, archive, strip: 1 });
      return run({ name, layers: [], inputs: { '/src': source }, argv: ['/bin/build'] });
    };
    const { started } = await schedule(
      command('top', build('a', 1_000), build('b', 30_000_000), build('c', 2_000)),
      {
        run: 1,
        perform: (name) => built(name),
      },
    );
    expect(started.filter((name) => name.length === 1)).toEqual(['b', 'c', 'a']);
  });

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

  it('makes lost content again once for all the steps that miss it', async () => {
    const producer = command('producer');
    const consumers = Array.from({ length: 10 }, (_, at) => command(`consumer-${at}`, producer));
    let times = 0;
    const { outcomes } = await schedule(command('top', ...consumers), {
      run: 10,
      perform: async (name) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (name === 'producer') times += 1;
        if (name.startsWith('consumer') && times === 1) throw new MissingBlob(digestOf(Buffer.from('lost')));
        return built(name);
      },
      producers: (ids) => new Set(ids),
    });
    expect(times).toBe(2);
    expect([...outcomes.values()].every((kind) => kind === 'built')).toBe(true);
  });

  it('has a step that was about to start wait again for an input whose content was lost', async () => {
    const producer = command('producer');
    const [first, second] = [command('first', producer), command('second', producer)];
    let isLost = true;
    const { started, outcomes } = await schedule(command('top', first, second), {
      run: 1,
      durations: { first: 20_000 },
      perform: (name) => {
        if (name === 'first' && isLost) {
          isLost = false;
          throw new MissingBlob(digestOf(Buffer.from('lost')));
        }
        return built(name);
      },
      producers: (ids) => new Set(ids),
    });
    expect(started).toEqual(['producer', 'first', 'producer', 'first', 'second', 'top']);
    expect([...outcomes.values()].every((kind) => kind === 'built')).toBe(true);
  });

  it('skips a step whose lost input cannot be made again', async () => {
    let producerRuns = 0;
    const { outcomes } = await schedule(command('top', command('consumer', command('producer'))), {
      perform: (name) => {
        if (name === 'producer') return ++producerRuns === 1 ? built(name) : failed;
        if (name === 'consumer') throw new MissingBlob(digestOf(Buffer.from('lost')));
        return built(name);
      },
      producers: (ids) => new Set(ids),
    });
    expect(Object.fromEntries(outcomes)).toEqual({
      producer: 'failed',
      consumer: 'skipped',
      top: 'skipped',
    });
  });

  it('counts a path that an input does not have as a failure of that step alone', async () => {
    const needsPath = run({
      name: 'needs-path',
      layers: [from(command('input'), { subpath: 'not/there' })],
      argv: ['/bin/build'],
    });
    const { outcomes } = await schedule(command('top', needsPath, command('other')), {
      keepGoing: true,
      perform: (name) => built(name),
    });
    expect(Object.fromEntries(outcomes)).toEqual({
      input: 'built',
      'needs-path': 'failed',
      other: 'built',
      top: 'skipped',
    });
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

  it('starts nothing new after a failure, and skips what needed it', async () => {
    const bad = command('bad');
    const { outcomes, started } = await schedule(
      command('top', command('needs-bad', bad), command('other')),
      {
        run: 1,
        durations: { bad: 1000 },
        perform: (name) => (name === 'bad' ? failed : built(name)),
      },
    );
    expect(Object.fromEntries(outcomes)).toEqual({
      bad: 'failed',
      'needs-bad': 'skipped',
      other: 'cancelled',
      top: 'skipped',
    });
    expect(started).toEqual(['bad']);
  });

  it('goes on with what does not depend on a failure when told to', async () => {
    const { outcomes } = await schedule(
      command('top', command('needs-bad', command('bad')), command('other')),
      {
        keepGoing: true,
        perform: (name) => (name === 'bad' ? failed : built(name)),
      },
    );
    expect(Object.fromEntries(outcomes)).toEqual({
      bad: 'failed',
      'needs-bad': 'skipped',
      other: 'built',
      top: 'skipped',
    });
  });

  it('starts nothing more once it is cancelled', async () => {
    const controller = new AbortController();
    const { outcomes } = await schedule(command('second', command('first')), {
      signal: controller.signal,
      perform: () => {
        controller.abort();
        return { kind: 'cancelled' };
      },
    });
    expect(Object.fromEntries(outcomes)).toEqual({ first: 'cancelled', second: 'cancelled' });
  });

  it('does not do a step whose inputs came to content it was done with before', async () => {
    const leaf = command('leaf');
    const { started, outcomes } = await schedule(command('dependent', leaf), {
      perform: (name) => built(name),
      realised: ({ step }) => (step.derivation.name === 'dependent' ? treeOf('old') : undefined),
    });
    expect(started).toEqual(['leaf']);
    expect(outcomes.get('dependent')).toBe('reused');
  });

  it('goes on after a step of the last kind that needs no work', async () => {
    const known = command('known');
    const { outcomes } = await schedule(compose({ name: 'composed', parts: [known] }), {
      realised: ({ step }) => (step.derivation.name === 'known' ? treeOf('known') : undefined),
      perform: (name) => built(name),
    });
    expect(outcomes).toEqual(
      new Map([
        ['known', 'reused'],
        ['composed', 'built'],
      ]),
    );
  });

  it('runs the producer of lost content again, and then the step that missed it', async () => {
    const producer = command('producer');
    let isLost = true;
    const { started, outcomes } = await schedule(command('consumer', producer), {
      perform: (name) => {
        if (name === 'consumer' && isLost) {
          isLost = false;
          throw new MissingBlob(digestOf(Buffer.from('lost')));
        }
        return built(name);
      },
      producers: (ids) => new Set(ids),
    });
    expect(started).toEqual(['producer', 'consumer', 'producer', 'consumer']);
    expect(outcomes.get('consumer')).toBe('built');
  });

  it('gives up on content that is lost again and again', async () => {
    const { outcomes } = await schedule(command('consumer', command('producer')), {
      perform: (name) => {
        if (name === 'consumer') throw new MissingBlob(digestOf(Buffer.from('lost')));
        return built(name);
      },
      producers: (ids) => new Set(ids),
    });
    expect(Object.fromEntries(outcomes)).toEqual({ producer: 'built', consumer: 'failed' });
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
