// What was compiled into a kernel, and what it was compiled from, as the step that did it has left it in the store. Builds nothing.

import type { Build, Step } from '../../engine/index.ts';
import type { Digest } from '../../store/base/digest.ts';
import { MissingBlob, type Node, type Store } from '../../store/index.ts';
import { mayTakeIn, takenIn, type BuiltCode } from './absent-code.ts';
import { commandsOutput, inputAt, placesOfStep } from './compile-step.ts';

/** What a project has of what was built. */
export interface BuiltSteps {
  readonly build: Pick<Build, 'outputsOf'>;
  readonly store: Pick<Store, 'blobs' | 'trees'>;
}

/** Undefined where the step was not done here with what it is made from now, or something of it has gone. */
export async function builtCodeOf({ build, store }: BuiltSteps, step: Step): Promise<BuiltCode | undefined> {
  const source = inputAt(step, placesOfStep.source);
  const tree = source && Object.values(build.outputsOf(source) ?? {})[0];
  const output = build.outputsOf(step.id)?.[commandsOutput];
  const commands = output && store.trees.lookup(output, commandsOutput);
  if (tree === undefined || commands?.kind !== 'blob') return undefined;
  try {
    const found = { files: new Set<string>(), taken: new Set<string>() };
    for (const [path, digest] of filesIn(store, tree)) {
      found.files.add(path);
      if (!mayTakeIn(path)) continue;
      for (const stem of takenIn(path, Buffer.from(await store.blobs.read(digest)).toString('latin1')))
        found.taken.add(stem);
    }
    const text = Buffer.from(await store.blobs.read(commands.digest)).toString('utf8');
    return { commands: text, source: placesOfStep.source, ...found };
  } catch (error) {
    if (error instanceof MissingBlob) return undefined;
    throw error;
  }
}

function* filesIn(
  store: Pick<Store, 'trees'>,
  top: Node,
): Generator<readonly [path: string, digest: Digest]> {
  const waiting: (readonly [path: string, node: Node])[] = [['', top]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [path, node] = next;
    if (node.kind === 'blob') yield [path, node.digest];
    if (node.kind !== 'tree') continue;
    const directory = store.trees.get(node.digest);
    if (directory === undefined) throw new MissingBlob(node.digest);
    for (const [name, below] of directory) waiting.push([path === '' ? name : `${path}/${name}`, below]);
  }
}
