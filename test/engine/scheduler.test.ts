import { describe, expect, it } from 'vitest';
import { compose, fetchUrl, from, run, unpack, type Derivation } from '../../engine/model/derivation.ts';
import type { Outcome } from '../../engine/events.ts';
import { command } from '../support/steps.ts';
import { schedule, treeOf, built, failed } from '../support/scheduling.ts';

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

  it('says once that the disk is full, and starts nothing more, even when told to go on', async () => {
    const full: Outcome = { ...failed, failure: { ...failed.failure, reason: { kind: 'disk-full' } } };
    const bothRun = new Promise<void>((resolve) => setImmediate(resolve));
    const { outcomes } = await schedule(command('top', command('one'), command('two'), command('later')), {
      run: 2,
      keepGoing: true,
      durations: { one: 1000, two: 1000, later: 1, top: 1 },
      perform: async (name) => {
        await bothRun;
        return name === 'later' ? built(name) : full;
      },
    });
    expect([...outcomes.values()].sort()).toEqual(['cancelled', 'cancelled', 'failed', 'skipped']);
    expect(outcomes.get('later')).toBe('cancelled');
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
});
