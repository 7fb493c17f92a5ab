// The real thing: `build lsb` with nothing to do, and how busy it keeps the cores from an empty store.

import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { packageRoot } from '../../store/base/package-root.ts';
import { atLeast, atMost, seconds, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { cairn, measure, measureOften } from './process.ts';

const config = ['--config', join(packageRoot, 'flake-like.config.ts')];

/** Uses the usual store, and builds lsb there first if need be. */
export async function lsbNothingToDo(): Promise<Figure[]> {
  const build = [...cairn, ...config, 'build', 'lsb'];
  await measure(build);
  const ours = await measureOften(build, {}, 9);
  const node = await measureOften([process.execPath, '-e', '0'], {}, 9);
  return [
    {
      what: 'build lsb with nothing to do, whole process',
      measured: seconds(ours.wallMs),
      yardstick: `node -e 0 ${seconds(node.wallMs)}`,
      ...atMost(ours.wallMs / node.wallMs, 4),
      command: 'cairn build lsb',
    },
  ];
}

/** Builds lsb from an empty store, its sources downloaded before the clock starts. Takes as long as that takes. */
export async function lsbFromNothing(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const env = { CAIRN_STORE: join(folder, 'store') };
    const sources = join(folder, 'sources');
    await measure([...cairn, ...config, 'fetch', 'lsb', '--to', sources], { env });
    const { stdout } = await measure([...cairn, ...config, 'build', 'lsb', '--json'], { env });
    const events = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const summary = events.findLast((event) => typeof event['buildersCpuMs'] === 'number');
    const [cpuMs, wallMs] = [Number(summary?.['buildersCpuMs']), Number(summary?.['elapsedMs'])];
    const cores = availableParallelism();
    return [
      {
        what: `build lsb from an empty store in ${seconds(wallMs)}: builders' processor time`,
        measured: seconds(cpuMs),
        yardstick: `wall time × ${cores} cores ${seconds(wallMs * cores)}`,
        ...atLeast(cpuMs / (wallMs * cores), 0.85),
        command: 'cairn fetch lsb --to FOLDER; cairn build lsb --json',
      },
    ];
  });
}
