// How long a large graph takes on clusters of many sizes, by the real planner and scheduler and a clock of their own.

import { atMost, seconds, type Figure } from './figure.ts';
import { leastMs, simulate } from './simulation/cluster.ts';
import { syntheticSteps } from './simulation/synthetic-steps.ts';

const count = 100_000;
const seed = 1;
/** What an action may cost this machine. `npm run bench -- remote-steps` measures what it does. */
const ourMs = 15;
const clusters = [10, 100, 1000, 10_000];
/** The bound is that of a thousand; above it, the machine that hands out the work is the wall. */
const boundedAt = 1000;

export async function simulatedClusters(): Promise<Figure[]> {
  const graph = syntheticSteps(count, seed);
  const figures: Figure[] = [];
  for (const workers of clusters) {
    const started = performance.now();
    const ran = await simulate(graph, { workers, ourMs });
    const tookMs = performance.now() - started;
    const least = leastMs(ran, { workers, ourMs });
    const ratio = ran.makespanMs / least;
    figures.push({
      what: `${count.toLocaleString('en')} steps on ${workers.toLocaleString('en')} workers, simulated in ${seconds(tookMs)}`,
      measured: seconds(ran.makespanMs),
      yardstick:
        `longest way ${seconds(ran.criticalPathMs)}, work ÷ workers ${seconds(ran.workMs / workers)}, ` +
        `handing out ${seconds(ran.ourWorkMs)}; ${ran.requests.toLocaleString('en')} requests, ` +
        `${gigabytes(ran.writtenBytes)} written and ${gigabytes(ran.readBytes)} read by workers`,
      ...(workers <= boundedAt ? atMost(ratio, 1.1) : { ratio, bound: 'none', isMet: true }),
      command: 'runPlan(plan, …)',
    });
  }
  return figures;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(0)} GB`;
}
