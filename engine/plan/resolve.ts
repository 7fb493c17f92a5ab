// From derivation to action: every input replaced by the content it turned out to have. Early cutoff lives here: two
// derivations that resolve to one action are one build. Pure; content is looked up through a function.

import type { CborValue } from '../../store/base/cbor.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Node } from '../../store/index.ts';
import type { Outputs } from '../events.ts';
import type { Input } from '../model/derivation.ts';
import {
  actionIdOf,
  actionRecord,
  type ActionId,
  type DerivationId,
  type RecordValue,
} from '../model/encode.ts';
import { stepInputs, type Step } from '../step.ts';

export interface ResolvedStep {
  readonly step: Step;
  readonly action: ActionId;
  readonly record: RecordValue;
  /** What each input of the derivation is. */
  readonly nodes: ReadonlyMap<Input, Node>;
}

/** Finds the node at a path inside a tree, or undefined. */
export type Lookup = (top: Node, path: string) => Node | undefined;

/**
 * Resolves a step whose inputs all have outputs.
 * @throws UserError `PATH_NOT_FOUND` when an input is narrowed to a path that its output does not have.
 */
export function resolveStep(
  step: Step,
  outputsOf: (id: DerivationId) => Outputs,
  lookup: Lookup,
): ResolvedStep {
  const nodes = new Map<Input, Node>();
  for (const { id, input } of stepInputs(step))
    nodes.set(input, inputNode(step, input, outputsOf(id), lookup));
  const reference = (input: Input): CborValue => nodeRecord(nodes.get(input)!);
  const record = actionRecord(step.derivation, reference, step.content);
  return { step, action: actionIdOf(record), record, nodes };
}

/** A node as it is written in records: `['tree', digest]`, `['blob', digest, executable]`, `['symlink', target]`. */
export function nodeRecord(node: Node): CborValue {
  switch (node.kind) {
    case 'tree':
      return ['tree', node.digest];
    case 'blob':
      return ['blob', node.digest, node.executable];
    case 'symlink':
      return ['symlink', node.target];
  }
}

// How much of the path is right.
function asFarAsThere(output: Node | undefined, path: string, lookup: Lookup): string {
  const names = path.split('/');
  const at = names.findIndex(
    (_, at) => !output || lookup(output, names.slice(0, at + 1).join('/')) === undefined,
  );
  return at < 1 ? '' : `It has "${names.slice(0, at).join('/')}", and no "${names[at]}" there. `;
}

function inputNode(step: Step, input: Input, outputs: Outputs, lookup: Lookup): Node {
  const output = outputs[input.output];
  const node = output !== undefined && input.subpath !== '' ? lookup(output, input.subpath) : output;
  if (node !== undefined) return node;
  throw new UserError(
    'PATH_NOT_FOUND',
    `${step.derivation.name}: its input ${input.derivation.name} has no "${input.subpath}" in output ${input.output}`,
    { hint: `${asFarAsThere(output, input.subpath, lookup)}\`cairn ls OUTPUT\` shows what is in an output.` },
  );
}
