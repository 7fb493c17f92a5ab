// What the scheduler does when content of an input turns out to be lost.

import { describe, expect, it } from 'vitest';
import { digestOf } from '../../store/base/digest.ts';
import { MissingBlob } from '../../store/store.ts';
import { command } from '../support/steps.ts';
import { schedule, built, failed } from '../support/scheduling.ts';

describe('lost content', () => {
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
