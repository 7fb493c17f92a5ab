// A graph of 10,000 derivations: nothing to do, and evaluated, hashed and planned from nothing. Beside Nix on the same. Ten
// times as many are planned from nothing for the memory that it takes.

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, seconds, withoutPeer, type Figure } from './figure.ts';
import { inFolder, syntheticProject } from './machine.ts';
import { nixExport, writeNixGraph } from './nix-graph.ts';
import { cairn, findProgram, measure, measureOften, type Measured } from './process.ts';

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

const tenTimes = { layers: 500, width: 200 } as const;
const bounds = { wallMs: 6000, peakMb: 350 } as const;

export async function planningManyFromNothing(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const { project, env } = syntheticProject(folder, tenTimes);
    const runs: Measured[] = [];
    for (let run = 0; run < 3; run++) {
      rmSync(env['CAIRN_STORE']!, { recursive: true, force: true });
      runs.push(await measure(planAll, { cwd: project, env }));
    }
    const wallMs = Math.min(...runs.map((run) => run.wallMs));
    const peakMb = Math.max(...runs.map((run) => run.peakMb));
    return [
      {
        what: '100,000 derivations evaluated, hashed and planned from nothing',
        measured: seconds(wallMs),
        yardstick: `bound ${seconds(bounds.wallMs)}`,
        ...atMost(wallMs / bounds.wallMs, 1),
        command: 'cairn build all --dry-run, with an empty store',
      },
      {
        what: 'memory of that',
        measured: `${peakMb.toFixed(0)} MB`,
        yardstick: `bound ${bounds.peakMb} MB`,
        ...atMost(peakMb / bounds.peakMb, 1),
        command: 'VmHWM of the same process',
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

/** Needs the graph built: see `manyColdSteps`, which calls this with its project. */
export async function nothingToDo(
  folder: string,
  project: string,
  env: Record<string, string>,
): Promise<Figure[]> {
  const ours = await measureOften([...cairn, 'build', 'all'], { cwd: project, env });
  const peer = await nixNothingToDo(folder);
  return [
    {
      what: 'the same graph with nothing to do, whole process',
      measured: seconds(ours.wallMs),
      command: 'cairn build all',
      ...(peer === undefined
        ? withoutPeer('no nix-build on PATH', '≤ 1')
        : {
            yardstick: `nix-build ${seconds(peer.wallMs)}, ${peer.peakMb.toFixed(0)} MB`,
            ...atMost(ours.wallMs / peer.wallMs, 1),
          }),
    },
    {
      what: 'memory of that',
      measured: `${ours.peakMb.toFixed(0)} MB`,
      yardstick: 'bound 300 MB',
      ...atMost(ours.peakMb / 300, 1),
      command: 'VmHWM of the same process',
    },
  ];
}

// Building 10,000 with Nix takes over half an hour. Whether there is something to do it asks of the last output only, so
// that one is imported into its store as if it had been built.
async function nixNothingToDo(folder: string): Promise<Measured | undefined> {
  if (findProgram('nix-build') === undefined) return undefined;
  const file = writeNixGraph(folder, { ...graph, tag: `planned-${process.pid}` });
  const recipe = (await measure(['nix-instantiate', file])).stdout.trim();
  const output = (await measure(['nix-store', '--query', '--outputs', recipe])).stdout.trim();
  const archive = join(folder, 'all.nar');
  writeFileSync(archive, nixExport(output, Buffer.from('all\n')));
  await measure(['sh', '-c', 'nix-store --import <"$0"', archive]);
  return measureOften(['nix-build', '--no-out-link', file]);
}
