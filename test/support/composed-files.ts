// What derivations of literal files and compositions of them give, without a store.

import type { Derivation } from '../../engine/model/index.ts';
import { composeTrees, writeTree } from '../../engine/perform/compose.ts';
import type { Node } from '../../store/index.ts';
import { MemoryBatch } from './memory-batch.ts';

/** The content of every file, by path. @throws Error for a derivation of which something has to be run or fetched */
export function filesOf(derivation: Derivation): Readonly<Record<string, string>> {
  const batch = new MemoryBatch();
  const nodeOf = (one: Derivation): Node => {
    if (one.kind === 'write') return writeTree(one, batch);
    if (one.kind !== 'compose') throw new Error(`${one.name} is not made of literal files`);
    return composeTrees(one, ({ input }) => below(nodeOf(input.derivation), input.subpath), batch);
  };
  const below = (node: Node, path: string): Node => {
    if (path === '' || node.kind !== 'tree') return node;
    return batch.directory(node.digest)!.get(path)!;
  };
  const files: Record<string, string> = {};
  const walk = (value: ReturnType<MemoryBatch['literal']>, path: string): void => {
    if (typeof value === 'string') files[path] = value;
    else
      for (const [name, entry] of Object.entries(value)) walk(entry, path === '' ? name : `${path}/${name}`);
  };
  walk(batch.literal(nodeOf(derivation)), '');
  return files;
}
