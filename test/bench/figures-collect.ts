// Garbage collection beside builds: four builds on one store that has much to throw away, alone and while it is thrown away.

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

/** Old and new way alternate, so that a noisy machine slows both. */
export async function collectingBesideBuilds(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const alone: number[] = [];
    const beside: number[] = [];
    for (let round = 0; round < rounds; round++) {
      alone.push(await buildAll(join(folder, `alone-${round}`), false));
      beside.push(await buildAll(join(folder, `beside-${round}`), true));
    }
    return [
      {
        what: `${builds} builds at a time, while ${garbageFiles} files of the same store are collected`,
        measured: seconds(median(beside)),
        yardstick: `the same builds alone ${seconds(median(alone))}`,
        ...atMost(median(beside) / median(alone), 1.1),
        command: 'cairn build all & cairn store gc',
      },
    ];
  });
}

async function buildAll(folder: string, isCollected: boolean): Promise<number> {
  const { project, env } = syntheticProject(folder, graph);
  await measure([...cairn, 'build', 'first'], { cwd: project, env });
  await addGarbage(env['CAIRN_STORE']!);
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
  if (isCollected) await measure([...cairn, 'store', 'gc'], { cwd: project, env });
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
