// Trivial sandboxed steps: 1,000 and 10,000 of them cold, and the rebuild after a change that changes nothing.

import { atMost, seconds, withoutPeer, type Figure } from './figure.ts';
import { nothingToDo } from './figures-graph.ts';
import { inFolder, syntheticProject } from './machine.ts';
import { writeNixGraph } from './nix-graph.ts';
import { cairn, findProgram, measure } from './process.ts';
import { writeComment } from './synthetic-graph.ts';

const thousand = { layers: 20, width: 50 } as const;
const tenThousand = { layers: 50, width: 200 } as const;
const buildAll = [...cairn, 'build', 'all', '-j', '2'];

/** 1,000 steps cold, then one comment changed in the leaf. */
export async function coldSteps(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const { project, env } = syntheticProject(folder, { ...thousand, canBuild: true });
    await fetchSeed(project, env);
    const cold = await measure(buildAll, { cwd: project, env });
    const nix = await nixCold(folder);
    return [
      {
        what: '1,000 trivial sandboxed steps, two at a time, cold',
        measured: seconds(cold.wallMs),
        command: 'cairn build all -j 2',
        ...(nix === undefined
          ? withoutPeer('no nix-build on PATH', '≤ 0.5')
          : { yardstick: `nix-build -j 2, sandbox ${seconds(nix)}`, ...atMost(cold.wallMs / nix, 0.5) }),
      },
      ...(await leafChange(folder, project, env)),
    ];
  });
}

/** 10,000 steps cold beside 1,000 of the same run, then the larger graph with nothing to do. */
export async function manyColdSteps(): Promise<Figure[]> {
  const small = await inFolder(async (folder) => {
    const { project, env } = syntheticProject(folder, { ...thousand, canBuild: true });
    await fetchSeed(project, env);
    return (await measure(buildAll, { cwd: project, env })).wallMs;
  });
  return inFolder(async (folder) => {
    const { project, env } = syntheticProject(folder, { ...tenThousand, canBuild: true });
    await fetchSeed(project, env);
    const large = (await measure(buildAll, { cwd: project, env })).wallMs;
    return [
      {
        what: '10,000 of them',
        measured: seconds(large),
        yardstick: `the 1,000 in this run ${seconds(small)}`,
        ...atMost(large / small, 11),
        command: 'cairn build all -j 2',
      },
      ...(await nothingToDo(folder, project, env)),
    ];
  });
}

async function leafChange(folder: string, project: string, env: Record<string, string>): Promise<Figure[]> {
  writeComment(project, 'another comment');
  const changed = await measure(buildAll, { cwd: project, env });
  const built = Number(/^(\d+) built, \d+ the same as before/m.exec(changed.stderr)?.[1]);
  const nix = await nixLeafChange(folder);
  return [
    {
      what: 'steps rebuilt after a comment changed in the leaf of 1,000',
      measured: `${built}`,
      yardstick: 'exactly 1',
      ratio: built,
      bound: '= 1',
      isMet: built === 1,
      command: 'cairn build all',
    },
    {
      what: 'that rebuild, whole process',
      measured: seconds(changed.wallMs),
      command: 'cairn build all',
      ...(nix === undefined
        ? withoutPeer('no nix-build on PATH', '≤ 0.5')
        : {
            yardstick: `nix-build with ca-derivations ${seconds(nix)}`,
            ...atMost(changed.wallMs / nix, 0.5),
          }),
    },
  ];
}

// The shell and the sandbox's program are downloaded and unpacked before the clock starts: one node needs only those.
async function fetchSeed(project: string, env: Record<string, string>): Promise<void> {
  await measure([...cairn, 'build', 'first'], { cwd: project, env });
}

async function nixCold(folder: string): Promise<number | undefined> {
  if (findProgram('nix-build') === undefined) return undefined;
  const path = writeNixGraph(folder, { ...thousand, tag: `cold-${process.pid}` });
  return (await measure(['nix-build', '--no-out-link', '-j2', path], { cwd: folder })).wallMs;
}

async function nixLeafChange(folder: string): Promise<number | undefined> {
  if (findProgram('nix-build') === undefined) return undefined;
  const graph = { ...thousand, tag: `ca-${process.pid}`, contentAddressed: true };
  const build = ['nix-build', '--extra-experimental-features', 'ca-derivations', '--no-out-link', '-j2'];
  await measure([...build, writeNixGraph(folder, graph)], { cwd: folder });
  return (
    await measure([...build, writeNixGraph(folder, { ...graph, comment: 'another comment' })], {
      cwd: folder,
    })
  ).wallMs;
}
