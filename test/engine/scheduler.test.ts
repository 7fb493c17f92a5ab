import { describe, expect, it } from 'vitest';
import { digestOf } from '../../store/base/digest.ts';
import { MissingBlob } from '../../store/store.ts';
import type { Outcome, Outputs } from '../../engine/events.ts';
import { compose, fetchUrl, run, unpack, type Derivation } from '../../engine/model/derivation.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import type { PlanFacts } from '../../engine/plan/facts.ts';
import { makePlan } from '../../engine/plan/planner.ts';
import type { ResolvedStep } from '../../engine/plan/resolve.ts';
import { runPlan } from '../../engine/schedule/scheduler.ts';
import { Slots } from '../../engine/schedule/slots.ts';
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
  readonly perform: (name: string, resolved: ResolvedStep) => Promise<Outcome> | Outcome;
  readonly keepGoing?: boolean;
  readonly run?: number;
  readonly durations?: Readonly<Record<string, number>>;
  readonly signal?: AbortSignal;
  readonly producers?: (ids: Iterable<DerivationId>) => ReadonlySet<DerivationId>;
  readonly realised?: (resolved: ResolvedStep) => Outputs | undefined;
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
    slots: new Slots({ run: rig.run ?? 2, fetch: 1, unpack: 1 }),
    keepGoing: rig.keepGoing ?? false,
    signal: rig.signal ?? new AbortController().signal,
    lookup: () => undefined,
    sandbox: undefined,
    realised: rig.realised ?? (() => undefined),
    producers: rig.producers ?? (() => new Set()),
    replan: (lost) => makePlan([...lost], { steps, facts, rebuild: lost }),
    perform: (resolved, slot) => slot.use(async () => rig.perform(resolved.step.derivation.name, resolved)),
    onStart: (step) => started.push(step.derivation.name),
    onFinish: () => undefined,
  });
  return {
    started,
    outcomes: new Map([...outcomes].map(([id, { kind }]) => [steps(id).derivation.name, kind])),
  };
}

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
});
