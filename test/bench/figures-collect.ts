// Garbage collection beside builds: four builds on one store that has much to throw away, alone and while it is thrown away;
// and, since deleting takes its share of a busy machine whoever does it, while `rm` deletes as many files elsewhere.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../store/index.ts';
import { atMost, median, seconds, type Figure } from './figure.ts';
import { inFolder, syntheticProject } from './machine.ts';
import { cairn, measure } from './process.ts';

const builds = 4;
const graph = { layers: 8, width: 12, canBuild: true } as const;
const rounds = 3;
/** About what a kernel's sources have. */
const garbageFiles = 80_000;

/** What is done beside the builds. */
type Beside = 'nothing' | 'gc' | 'rm';

/** All ways alternate, so that a noisy machine slows each. */
export async function collectingBesideBuilds(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const wallMs: Record<Beside, number[]> = { nothing: [], gc: [], rm: [] };
    for (let round = 0; round < rounds; round++)
      for (const beside of ['nothing', 'gc', 'rm'] as const)
        wallMs[beside].push(await buildAll(join(folder, `${beside}-${round}`), beside));
    const [alone, collecting, removing] = [median(wallMs.nothing), median(wallMs.gc), median(wallMs.rm)];
    const what = `${builds} builds at a time, while ${garbageFiles} files of the same store are collected`;
    const command = 'cairn build all & cairn store gc';
    return [
      {
        what,
        measured: seconds(collecting),
        yardstick: `the same builds alone ${seconds(alone)}`,
        ...atMost(collecting / alone, 1.1),
        command,
      },
      {
        what: `${what}, as against rm`,
        measured: seconds(collecting),
        yardstick: `while rm -rf deletes as many files elsewhere on the disk ${seconds(removing)}`,
        ...atMost(collecting / removing, 1.1),
        command: `${command}; cairn build all & rm -rf FOLDER`,
      },
    ];
  });
}

async function buildAll(folder: string, beside: Beside): Promise<number> {
  const { project, env } = syntheticProject(folder, graph);
  await measure([...cairn, 'build', 'first'], { cwd: project, env });
  await addGarbage(env['CAIRN_STORE']!);
  const elsewhere = join(folder, 'elsewhere');
  if (beside === 'rm') await addGarbage(elsewhere);
  const projects = Array.from({ length: builds }, (_, at) => {
    const own = join(folder, `project-${at}`);
    syntheticProject(own, { ...graph, width: graph.width + at });
    return join(own, 'project');
  });
  const started = performance.now();
  const built = Promise.all(
    projects.map(async (cwd) => {
      await measure([...cairn, 'build', 'all', '-j', '1'], { cwd, env });
      return performance.now() - started;
    }),
  );
  if (beside === 'gc') await measure([...cairn, 'store', 'gc'], { cwd: project, env });
  if (beside === 'rm') await measure(['rm', '-rf', join(elsewhere, 'blobs')]);
  const wallMs = Math.max(...(await built));
  await measure([...cairn, 'store', 'verify'], { cwd: project, env });
  rmSync(folder, { recursive: true, force: true });
  return wallMs;
}

async function addGarbage(path: string): Promise<void> {
  const store = await openStore(path);
  const batch = store.begin();
  for (let at = 0; at < garbageFiles; at++) batch.addBytes(Buffer.from(`garbage ${at}`.padEnd(2000, 'x')));
  await batch.commit();
  await store.close();
}
