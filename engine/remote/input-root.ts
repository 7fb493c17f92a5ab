// What is sent to a worker: the trees of a request beside each other, as they are, and what makes of them the sandbox that a step
// has at home. A worker needs nothing but a folder to start it in. Pure: reads Merkle nodes only.

import { join } from 'node:path';
import { bug, UserError } from '../../store/base/errors.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import {
  directoryDigest,
  encodeDirectory,
  emptyTree,
  type Directory,
  type Node,
  type TreeNode,
} from '../../store/index.ts';
import type { BuildRequest, Variation } from '../execute/executor.ts';
import { stackedLayers, stepEpochSeconds, usualView } from '../execute/step-view.ts';
import {
  DraftMerge,
  emptyFolder,
  placedAt,
  sealed,
  type DraftNode,
  type TreeBatch,
} from '../perform/draft-tree.ts';
import { sandboxCommand } from '../sandbox/command.ts';
import type { Conditions } from '../sandbox/conditions.ts';
import { emptyFolder as emptyInGuise, settingsMasks, shownInstead, type Shown } from '../sandbox/guise.ts';
import { usualLimits } from '../sandbox/limits.ts';
import type { InputMount } from '../sandbox/mounts.ts';
import { usualResourceLimits } from '../sandbox/resource-limits.ts';
import { systemCallFilter } from '../sandbox/system-calls.ts';
import { scaffoldFolders, scaffoldIn, shownFolders, workFolder } from '../sandbox/work-folder.ts';
import { attendProgram } from './attend.ts';
import { ordersText } from './orders.ts';
import type { RootMode } from '../model/remote.ts';
import type { TravellingTool } from './travelling-tool.ts';

export interface InputRootOptions {
  readonly mode: RootMode;
  readonly tool: TravellingTool;
  /** How many things a step is told to do at once. */
  readonly jobs: number;
  readonly variation: Variation | undefined;
}

export interface InputRoot {
  readonly digest: Digest;
  /** Its directories and files that are in no store. */
  readonly made: ReadonlyMap<Digest, Uint8Array>;
  /** Its own directories, for who walks down to what is in a store. */
  readonly directories: ReadonlyMap<Digest, Directory>;
  readonly argv: readonly string[];
}

/** Where things are below the folder that the worker starts the program in. */
export const places = {
  /** What a step is given, each tree with its own number. */
  given: 'given',
  /** What is run. */
  run: 'run',
  tool: 'tool',
  work: 'work',
  /** How bubblewrap reports how the command ended. */
  status: 'work/status',
  /** The limit that was met. */
  excess: 'work/excess',
  /** What no tree can hold of what the step left. */
  refused: 'work/refused',
} as const;

const masksFolder = `${places.work}/masks`;

/** Where an output's folder is. */
export function outputPlace(output: string): string {
  return join(workFolder(places.work).outputs, output);
}

export function inputRoot(
  request: BuildRequest,
  { mode, tool, jobs, variation }: InputRootOptions,
): InputRoot {
  const made = new Made();
  const work = workFolder(places.work);
  const scaffold = scaffoldIn(places.work);
  const conditions: Conditions = {
    ...(variation ?? usualView),
    jobs: variation?.jobs ?? jobs,
    processors: [],
    jobserver: undefined,
  };
  const { masks, run, made: madeOnce } = shownTo(conditions.jobs);
  const given = givenNodes(request);
  const limits = { ...usualLimits, ...request.limits };
  const folders = shownFolders(work, request);
  const orders = ordersText({
    folders: [
      ...[places.work, masksFolder, ...scaffoldFolders(scaffold)].map((path) => ({ path, mode: 0o755 })),
      ...folders,
    ],
    aged: { paths: folders.map(({ path }) => path), seconds: stepEpochSeconds },
    masks,
    limits: usualResourceLimits,
    umask: conditions.umask,
    most: {
      seconds: limits.timeoutSeconds,
      silentSeconds: limits.silenceSeconds,
      logBytes: limits.logBytes,
    },
    outputs: request.outputs.map((output) => join(work.outputs, output)),
    cleared: [work.upper, work.build, work.temporary, scaffold.overlay, scaffold.mountPoints],
  });
  const travelling = travellingTree(tool);
  for (const each of [madeOnce, travelling.made]) made.take(each);
  const root = made.tree([
    ...given.all,
    [places.tool, travelling.tree],
    ...run.map(([name, node]): [string, Node] => [`${places.run}/${name}`, node]),
    [`${places.run}/orders`, made.file(Buffer.from(orders))],
  ]);
  const command = sandboxCommand(request, {
    tool: { bubblewrap: tool.bubblewrap, mkfifo: [] },
    mounts: { layers: given.layers, inputs: given.inputs },
    scaffold,
    guise: {
      preamble: `${places.run}/attend`,
      filter: `${places.run}/filter`,
      masks: [
        ...masks.map(({ path, link }) => ({ path, source: link, isOptional: true })),
        ...settingsMasks(`${places.run}/guise`),
      ],
    },
    work,
    conditions,
    isWithin: mode === 'chroot',
    // The kernel's own folder in an overlay may not be looked into, and there are workers that end when they try.
    isRootInMemory: true,
  });
  return { digest: root.digest, made: made.bytes, directories: made.directories, argv: command };
}

interface ShownTo {
  readonly masks: readonly LinkedMask[];
  /** By their names in the folder of what is run. */
  readonly run: readonly (readonly [name: string, node: Node])[];
  readonly made: Made;
}

type LinkedMask = Shown['masks'][number] & { readonly link: string; readonly target: string };

/** By how many things a step is told to do at once: what is the same for all of them is made once. */
const shownToAll = new Map<number, ShownTo>();

function shownTo(jobs: number): ShownTo {
  const known = shownToAll.get(jobs);
  if (known !== undefined) return known;
  const made = new Made();
  const shown = shownInstead(jobs);
  const guise = made.tree([
    [emptyInGuise, emptyTree],
    ...[...shown.files].map(([name, content]): [string, Node] => [name, made.file(Buffer.from(content))]),
  ]);
  const run: ShownTo['run'] = [
    ['attend', made.file(attendProgram(), true)],
    ['filter', made.file(systemCallFilter())],
    ['guise', guise],
  ];
  const all: ShownTo = { masks: linkedMasks(shown), run, made };
  shownToAll.set(jobs, all);
  return all;
}

interface TravellingTree {
  readonly tree: TreeNode;
  readonly made: Made;
}

const travellingTrees = new WeakMap<TravellingTool, TravellingTree>();

function travellingTree(tool: TravellingTool): TravellingTree {
  const known = travellingTrees.get(tool);
  if (known !== undefined) return known;
  const made = new Made();
  const all = { tree: made.tree(tool.files), made };
  travellingTrees.set(tool, all);
  return all;
}

function linkedMasks({ masks }: Shown): LinkedMask[] {
  return masks.map((mask, at) => ({
    ...mask,
    link: `${masksFolder}/${at}`,
    target: `../../${places.run}/guise/${mask.name}`,
  }));
}

interface Given {
  readonly all: readonly (readonly [path: string, node: Node])[];
  readonly layers: readonly string[];
  readonly inputs: readonly InputMount[];
}

function givenNodes(request: BuildRequest): Given {
  const layers = stackedLayers(request.layers).map((digest, at): readonly [string, TreeNode] => [
    `${places.given}/layer-${at}`,
    { kind: 'tree', digest },
  ]);
  const all: (readonly [string, Node])[] = [...layers];
  const inputs = request.inputs.map(({ path, node }, at): InputMount => {
    if (node.kind === 'symlink') return { kind: 'symlink', path, target: node.target };
    const source = `${places.given}/input-${at}`;
    all.push([source, node]);
    return { kind: 'bind', path, source };
  });
  if (all.length === 0)
    throw new UserError(
      'DERIVATION_INVALID',
      `${request.name} has no layer and no input to run anything from`,
      {
        hint: 'Give it a tree with a program: layers: [seed].',
      },
    );
  return { all, layers: layers.map(([path]) => path), inputs };
}

/** Bytes and directories as they are made, by their digests. */
class Made implements TreeBatch {
  readonly bytes = new Map<Digest, Uint8Array>();
  readonly directories = new Map<Digest, Directory>();

  /** What was made before, for another root as well. */
  take({ bytes, directories }: Made): void {
    for (const [digest, each] of bytes) this.bytes.set(digest, each);
    for (const [digest, each] of directories) this.directories.set(digest, each);
  }

  file(bytes: Uint8Array, executable = false): Node {
    return { kind: 'blob', digest: this.addBytes(bytes), executable };
  }

  tree(entries: readonly (readonly [path: string, node: Node])[]): TreeNode {
    const merge = new DraftMerge(this);
    const top = entries.reduce<DraftNode>(
      (below, [path, node]) =>
        merge.overlay(below, placedAt(path.split('/'), node), (at) => bug(`${at} is there twice`)),
      emptyFolder,
    );
    return sealed(top, this) as TreeNode;
  }

  addBytes(bytes: Uint8Array): Digest {
    const digest = digestOf(bytes);
    this.bytes.set(digest, bytes);
    return digest;
  }

  addDirectory(directory: Directory): Digest {
    const digest = directoryDigest(directory);
    this.directories.set(digest, directory);
    this.bytes.set(digest, encodeDirectory(directory));
    return digest;
  }

  directory(digest: Digest): Directory | undefined {
    return this.directories.get(digest);
  }
}
