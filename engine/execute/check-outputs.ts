// What every executor asks of outputs before they count. Pure.

import { UserError } from '../../store/base/errors.ts';
import { emptyTree, type Node } from '../../store/index.ts';
import type { BuildRequest } from './executor.ts';

/**
 * A step that writes into the wrong folder would otherwise succeed, and nobody would know before something misses it.
 * @param elsewhere what it wrote outside its outputs, where that can be told; asked only when something is missing
 * @throws UserError `OUTPUT_INVALID`
 */
export function refuseEmpty(
  { name, outputs: names, mayBeEmpty }: Pick<BuildRequest, 'name' | 'outputs' | 'mayBeEmpty'>,
  outputs: Readonly<Record<string, Node>>,
  elsewhere: () => readonly string[] = () => [],
): void {
  const empty = names.filter((output) => isEmpty(outputs[output]!) && !mayBeEmpty.includes(output));
  if (empty.length === 0) return;
  const found = elsewhere();
  throw new UserError(
    'OUTPUT_INVALID',
    `${name} left nothing in its output ${empty.join(', ')}` +
      (found.length === 0 ? '' : `; elsewhere it wrote ${found.join(', ')}`),
    { hint: 'Put files into $out, or say in the derivation that it may be empty: mayBeEmpty.' },
  );
}

function isEmpty(node: Node): boolean {
  return node.kind === 'tree' && node.digest === emptyTree.digest;
}
