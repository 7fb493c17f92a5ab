// The soak in small: as many processes as a machine has at hand, a fixed number of them, from a seed that is told.

import { expect, test } from 'vitest';
import { soak } from './run-soak.ts';

const seed = Number(process.env['CAIRN_SOAK_SEED'] ?? Date.now() % 1_000_000);

test(`forty processes on one store, eight at a time, from seed ${seed}`, async () => {
  const report = await soak({ operations: 40, processes: 8, projects: 2, seed, diskMegabytes: 80 });
  expect(report.faults).toEqual([]);
  expect(report.counts['build 0']).toBeGreaterThan(5);
});
