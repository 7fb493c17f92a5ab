// What needs what, as nodes and arrows that can be drawn. Pure.

import { stepRef, type Step, type StepRef } from '../../engine/index.ts';

export interface Picture {
  readonly nodes: readonly StepRef[];
  /** From an input to what needs it. */
  readonly edges: readonly Edge[];
}

export interface Edge {
  readonly from: StepRef['id'];
  readonly to: StepRef['id'];
}

export interface PictureOptions {
  readonly steps: (id: StepRef['id']) => Step;
  /** Also draw downloads, unpacked archives and compositions; without it only commands and what was asked for. */
  readonly all: boolean;
  /** How many arrows to follow; undefined for all of them. */
  readonly depth?: number | undefined;
}

/** The picture of everything `wanted` needs. Nodes come in the order in which they are reached. */
export function drawClosure(
  wanted: readonly StepRef['id'][],
  { steps, all, depth = Infinity }: PictureOptions,
): Picture {
  const isDrawn = (step: Step): boolean => all || step.derivation.kind === 'run';
  const drawnInputs = contraction(steps, isDrawn);
  const nodes = new Map<StepRef['id'], StepRef>();
  const edges: Edge[] = [];
  let level = new Set(wanted);
  for (let distance = 0; level.size > 0; distance++) {
    const next = new Set<StepRef['id']>();
    for (const id of level) {
      nodes.set(id, stepRef(steps(id)));
      if (distance >= depth) continue;
      for (const from of drawnInputs(id)) {
        edges.push({ from, to: id });
        next.add(from);
      }
    }
    level = new Set([...next].filter((id) => !nodes.has(id)));
  }
  return { nodes: [...nodes.values()], edges };
}

// A step's nearest drawn inputs, seen through the ones that are not drawn.
function contraction(
  steps: PictureOptions['steps'],
  isDrawn: (step: Step) => boolean,
): (id: StepRef['id']) => ReadonlySet<StepRef['id']> {
  const known = new Map<StepRef['id'], ReadonlySet<StepRef['id']>>();
  return (wanted) => {
    // Inputs first, with a stack of our own: graphs may be deeper than the call stack.
    const stack = [wanted];
    for (let id = stack.at(-1); id !== undefined; id = stack.at(-1)) {
      const { inputIds } = steps(id);
      const hidden = inputIds.filter((input) => !isDrawn(steps(input)) && !known.has(input));
      if (known.has(id) || hidden.length === 0) {
        stack.pop();
        known.set(
          id,
          new Set(inputIds.flatMap((input) => (isDrawn(steps(input)) ? [input] : [...known.get(input)!]))),
        );
      } else {
        stack.push(...hidden);
      }
    }
    return known.get(wanted)!;
  };
}
