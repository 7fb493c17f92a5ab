// Whether what the simulation of a cluster says is what a schedule comes to: cases that can be worked out by hand.

import { describe, expect, it } from 'vitest';
import { leastMs, simulate, type SimulatedStep } from '../../bench/simulation/cluster.ts';
import { syntheticSteps } from '../../bench/simulation/synthetic-steps.ts';

const step = (ms: number, ...needs: readonly number[]): SimulatedStep => ({ needs, ms, outputBytes: 100 });
const makespan = async (graph: readonly SimulatedStep[], workers: number, ourMs = 0): Promise<number> =>
  (await simulate(graph, { workers, ourMs })).makespanMs;

describe('a simulated cluster', () => {
  it('takes for a chain what its steps take, however many workers there are', async () => {
    const chain = [step(10), step(20, 0), step(30, 1)];
    expect(await makespan(chain, 1)).toBe(60);
    expect(await makespan(chain, 100)).toBe(60);
  });

  it('does as much at once as it has workers', async () => {
    const singles = [step(10), step(10), step(10), step(10), step(1, 0, 1, 2, 3)];
    expect(await makespan(singles, 1)).toBe(41);
    expect(await makespan(singles, 2)).toBe(21);
    expect(await makespan(singles, 4)).toBe(11);
  });

  it('begins with the longest way, as the scheduler does', async () => {
    const graph = [step(10), step(10), step(10), step(1), step(30, 3), step(0, 0, 1, 2, 4)];
    expect(await makespan(graph, 2)).toBe(31);
  });

  it('waits for the one machine that hands the work out', async () => {
    const singles = Array.from({ length: 20 }, () => step(5));
    const graph = [...singles, step(5, ...singles.keys())];
    expect(await makespan(graph, 1000, 10)).toBe(20 * 10 + 5 + 10 + 5);
  });

  it('counts what is moved, and asked for', async () => {
    const ran = await simulate([step(1), step(1, 0), step(1, 0, 1)], { workers: 1, ourMs: 2 });
    expect(ran).toMatchObject({
      ...{ requests: 12, writtenBytes: 300, readBytes: 300, criticalPathMs: 3 },
      ...{ workMs: 3, ourWorkMs: 6 },
    });
  });

  describe('with this machine beside it', () => {
    const graph = (outputBytes: number): SimulatedStep[] => [
      { needs: [], ms: 10_000, outputBytes },
      { needs: [0], ms: 10_000, outputBytes: 0 },
      { needs: [0], ms: 10_000, outputBytes: 0 },
      { needs: [1, 2], ms: 0, outputBytes: 0 },
    ];
    const cluster = { workers: 1, ourMs: 0, hereSlots: 1 };

    it('does as much at once as both together', async () => {
      const singles = [step(10_000), step(10_000), step(10_000), step(10_000), step(0, 0, 1, 2, 3)];
      const ran = await simulate(singles, cluster);
      expect([ran.makespanMs, ran.doneHere]).toEqual([20_000 + 2 * (100 / 20_000), 2]);
    });

    it('brings here what is sooner brought than waited for', async () => {
      // 100 MB take 5 s: the third step ends after 25 s here, after 30 s there.
      const ran = await simulate(graph(100e6), cluster);
      expect(ran).toMatchObject({ makespanMs: 25_000, doneHere: 1, movedBytes: 100e6 });
    });

    it('waits for a worker where that is sooner', async () => {
      // 400 MB take 20 s: the third step would end after 40 s here.
      const ran = await simulate(graph(400e6), cluster);
      expect(ran).toMatchObject({ makespanMs: 30_000, doneHere: 0, movedBytes: 0 });
    });
  });

  it('is the same again, and between what no schedule can do better and none of this kind does worse', async () => {
    const graph = syntheticSteps(500, 7);
    expect(syntheticSteps(500, 7)).toEqual(graph);
    for (const workers of [1, 8, 64, 1000]) {
      const cluster = { workers, ourMs: 0 };
      const ran = await simulate(graph, cluster);
      expect(await simulate(graph, cluster)).toEqual(ran);
      expect(ran.makespanMs).toBeGreaterThanOrEqual(leastMs(ran, cluster));
      // R. L. Graham, Bounds on multiprocessing timing anomalies (1969).
      expect(ran.makespanMs).toBeLessThanOrEqual(ran.workMs / workers + ran.criticalPathMs);
    }
  });
});
