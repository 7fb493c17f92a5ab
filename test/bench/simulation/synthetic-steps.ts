// A graph as a distribution's packages make it: levels that need some of the level below, and one image of all that is on top.
// Durations and sizes are those of commands that one machine has recorded, drawn at random from a seed.

import { randomFrom } from '../../support/random.ts';
import recorded from './recorded-steps.json' with { type: 'json' };
import type { SimulatedStep } from './cluster.ts';

const levels = 25;
const mostNeeds = 3;
/** The last one is no more than putting together what all others gave. */
const image = { ms: 2000, outputBytes: 1 << 20 };

export function syntheticSteps(count: number, seed: number): SimulatedStep[] {
  const pick = randomFrom(seed);
  const width = Math.ceil((count - 1) / levels);
  const steps = Array.from({ length: count - 1 }, (_, at): SimulatedStep => {
    const start = (Math.floor(at / width) - 1) * width;
    const needs = Array.from({ length: start < 0 ? 0 : 1 + pick(mostNeeds) }, () => start + pick(width));
    return { needs: [...new Set(needs)], ...recorded[pick(recorded.length)]! };
  });
  const needed = new Set(steps.flatMap(({ needs }) => needs));
  const tops = [...steps.keys()].filter((at) => !needed.has(at));
  return [...steps, { needs: tops, ...image }];
}
