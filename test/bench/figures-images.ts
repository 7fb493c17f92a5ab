// Images: how large they are, and what it takes to compose one when only that is left to do. Uses the usual store, and
// builds there what is missing; what it composes anew stays until `cairn store gc`.

import { join } from 'node:path';
import { packageRoot } from '../../store/base/package-root.ts';
import { atMost, median, seconds, type Figure } from './figure.ts';
import { cairn, measure } from './process.ts';

const ownFlake = ['--config', join(packageRoot, 'flake-like.config.ts')];
const stampedFlake = ['--config', join(packageRoot, 'test/bench/images/flake-like.config.ts')];

/** What each image may take on both partitions, in MB. */
const budgets = { rpi: 350, 'rpi-containerd': 240, tiny: 40 } as const;

export async function imageSizes(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [name, budget] of Object.entries(budgets)) {
    const used = (await usedBytes(name)) / 1e6;
    figures.push({
      what: `${name}: used bytes of both partitions`,
      measured: `${used.toFixed(1)} MB`,
      yardstick: `budget ${budget} MB`,
      ...atMost(used / budget, 1),
      command: `cairn build ${name}; cairn image size ${name}`,
    });
  }
  return figures;
}

/** By its manifest; by the error that says so when it is over the budget that the config gives it. */
async function usedBytes(name: string): Promise<number> {
  try {
    await measure([...cairn, ...ownFlake, 'build', name]);
  } catch (error) {
    const [, taken] = /over its budget: it takes ([\d,]+)/.exec(String(error)) ?? [];
    if (taken === undefined) throw error;
    return Number(taken.replaceAll(',', ''));
  }
  const { stdout } = await measure([...cairn, ...ownFlake, 'cat', `${name}/manifest.json`]);
  return (JSON.parse(stdout) as { usedBytes: number }).usedBytes;
}

/** rpi with everything there but what composes it, three times, beside the same by hand. */
export async function composingAnImage(): Promise<Figure[]> {
  await composed('first'); // Builds what it is made of, and reads it.
  const runs = [];
  for (let run = 0; run < 3; run++) runs.push(await composed(`${process.pid}-${Date.now()}`));
  const [ours, byHand] = [median(runs.map((run) => run.ours)), median(runs.map((run) => run.byHand))];
  return [
    {
      what: 'build rpi with everything cached but the composition, whole process',
      measured: seconds(ours),
      yardstick: `mke2fs -d, mcopy and one copy of the image ${seconds(byHand)}`,
      ...atMost(ours / byHand, 3),
      command: 'CAIRN_BENCH_STAMP=… cairn build rpi --config test/bench/images/flake-like.config.ts',
    },
  ];
}

async function composed(stamp: string): Promise<{ readonly ours: number; readonly byHand: number }> {
  const options = { env: { CAIRN_BENCH_STAMP: stamp } };
  const { wallMs } = await measure([...cairn, ...stampedFlake, 'build', 'rpi'], options);
  await measure([...cairn, ...stampedFlake, 'build', 'rpi-by-hand'], options);
  const { stdout } = await measure([...cairn, ...stampedFlake, 'cat', 'rpi-by-hand/milliseconds'], options);
  return { ours: wallMs, byHand: Number(stdout) };
}
