// npm run test:soak: ten minutes of it, with a seed that is told, so that a run can be tried again.

import { expect, test } from 'vitest';
import { soak } from './run-soak.ts';

const seconds = Number(process.env['CAIRN_SOAK_SECONDS'] ?? 600);
const processes = Number(process.env['CAIRN_SOAK_PROCESSES'] ?? 40);
const seed = Number(process.env['CAIRN_SOAK_SEED'] ?? Date.now() % 1_000_000);

test(`${processes} processes at a time, for ${seconds} seconds, from seed ${seed}`, async () => {
  const report = await soak({ seconds, processes, projects: 8, seed, diskMegabytes: 150 });
  process.stdout.write(`${JSON.stringify(report.counts, undefined, 2)}\n`);
  expect(report.faults).toEqual([]);
});
