// A graph of 10,000 derivations: nothing to do, and evaluated, hashed and planned from nothing. Beside Nix on the same.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, seconds, withoutPeer, type Figure } from './figure.ts';
import { inFolder, syntheticProject } from './machine.ts';
import { writeNixGraph } from './nix-graph.ts';
import { cairn, findProgram, measure, measureOften } from './process.ts';

const graph = { layers: 50, width: 200 } as const;
const planAll = [...cairn, 'build', 'all', '--dry-run', '--json'];

export async function planningFromNothing(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const { project, env } = syntheticProject(folder, graph);
    const runs: number[] = [];
    for (let run = 0; run < 3; run++) {
      rmSync(env['CAIRN_STORE']!, { recursive: true, force: true });
      runs.push((await measure(planAll, { cwd: project, env })).wallMs);
    }
    const ours = Math.min(...runs);
    const peer = await instantiate(folder);
    return [
      {
        what: '10,000 derivations evaluated, hashed and planned from nothing',
        measured: seconds(ours),
        command: 'cairn build all --dry-run, with an empty store',
        ...(peer === undefined
          ? withoutPeer('no nix-instantiate on PATH', '≤ 0.25')
          : { yardstick: `nix-instantiate ${seconds(peer)}`, ...atMost(ours / peer, 0.25) }),
      },
    ];
  });
}

async function instantiate(folder: string): Promise<number | undefined> {
  if (findProgram('nix-instantiate') === undefined) return undefined;
  const runs: number[] = [];
  for (let run = 0; run < 3; run++) {
    const path = writeNixGraph(folder, { ...graph, tag: `${process.pid}-${run}` });
    runs.push((await measure(['nix-instantiate', path], { cwd: folder })).wallMs);
  }
  return Math.min(...runs);
}

/** Needs the graph built: see `coldSteps`, which calls this with its project. */
export async function nothingToDo(
  project: string,
  env: Record<string, string>,
  nixFile: string | undefined,
): Promise<Figure[]> {
  const ours = await measureOften([...cairn, 'build', 'all'], { cwd: project, env });
  const memory: Figure = {
    what: 'memory of that',
    measured: `${ours.peakMb.toFixed(0)} MB`,
    yardstick: 'bound 300 MB',
    ...atMost(ours.peakMb / 300, 1),
    command: 'VmHWM of the same process',
  };
  const what = 'the same graph with nothing to do, whole process';
  const command = 'cairn build all';
  if (nixFile === undefined) {
    return [
      { what, command, measured: seconds(ours.wallMs), ...withoutPeer('no nix-build on PATH', '≤ 1') },
      memory,
    ];
  }
  const peer = await measureOften(['nix-build', '--no-out-link', nixFile], { cwd: join(nixFile, '..') });
  const yardstick = `nix-build ${seconds(peer.wallMs)}, ${peer.peakMb.toFixed(0)} MB`;
  return [
    { what, command, measured: seconds(ours.wallMs), yardstick, ...atMost(ours.wallMs / peer.wallMs, 1) },
    memory,
  ];
}
