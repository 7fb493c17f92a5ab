// The DAG of steps (graphology): its closure, its order, its critical path. Knows nothing of what is built already.

import { DirectedGraph } from 'graphology';
import { UserError } from '../store/base/errors.ts';
import type { DerivationId } from './model/encode.ts';
import type { Step, StepSource } from './step.ts';

/** Nodes are derivation ids with their step; an edge goes from an input to what needs it. */
export type StepGraph = DirectedGraph<{ step: Step }>;

/** The graph of everything `wanted` needs, directly or not. */
export function closureGraph(wanted: readonly DerivationId[], steps: StepSource): StepGraph {
  const graph: StepGraph = new DirectedGraph<{ step: Step }>();
  const pending = [...wanted];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (graph.hasNode(id)) continue;
    const step = steps(id);
    graph.addNode(id, { step });
    pending.push(...step.inputIds);
  }
  graph.forEachNode((id, { step }) => {
    for (const input of step.inputIds) graph.mergeDirectedEdge(input, id);
  });
  return graph;
}

/** The part of a graph that is made of `steps`, with the edges among them. */
export function graphOf(steps: Iterable<Step>): StepGraph {
  const graph: StepGraph = new DirectedGraph<{ step: Step }>();
  for (const step of steps) graph.mergeNode(step.id, { step });
  graph.forEachNode((id, { step }) => {
    for (const input of step.inputIds) if (graph.hasNode(input)) graph.mergeDirectedEdge(input, id);
  });
  return graph;
}

/**
 * Steps in an order in which inputs come first.
 * @throws UserError `GRAPH_CYCLE` with the cycle as a path of names.
 */
export function topologicalOrder(graph: StepGraph): Step[] {
  const missing = new Map<string, number>();
  const ready: string[] = [];
  graph.forEachNode((id) => {
    missing.set(id, graph.inDegree(id));
    if (graph.inDegree(id) === 0) ready.push(id);
  });
  const order: Step[] = [];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    order.push(graph.getNodeAttribute(id, 'step'));
    graph.forEachOutNeighbor(id, (dependent) => {
      const left = missing.get(dependent)! - 1;
      missing.set(dependent, left);
      if (left === 0) ready.push(dependent);
    });
  }
  if (order.length < graph.order) throw cycleError(graph, missing);
  return order;
}

/**
 * How long it takes from the start of each step until everything that depends on it is done, when nothing has to wait
 * for a slot: the longest path by `durationMs`. What has most before it is started first.
 */
export function remainingMs(graph: StepGraph, durationMs: (step: Step) => number): Map<DerivationId, number> {
  const remaining = new Map<DerivationId, number>();
  for (const step of topologicalOrder(graph).reverse()) {
    let longest = 0;
    graph.forEachOutNeighbor(step.id, (dependent) => {
      longest = Math.max(longest, remaining.get(dependent as DerivationId) ?? 0);
    });
    remaining.set(step.id, longest + durationMs(step));
  }
  return remaining;
}

// What has inputs left lies on a cycle or behind one; walking back along such inputs must come round.
function cycleError(graph: StepGraph, missing: ReadonlyMap<string, number>): UserError {
  const isStuck = (id: string): boolean => missing.get(id)! > 0;
  const path: string[] = [];
  let at = graph.findNode(isStuck)!;
  while (!path.includes(at)) {
    path.push(at);
    at = graph.findInNeighbor(at, isStuck)!;
  }
  const cycle = [...path.slice(path.indexOf(at)), at].reverse();
  const names = cycle.map((id) => graph.getNodeAttribute(id, 'step').derivation.name);
  return new UserError('GRAPH_CYCLE', `these derivations need each other: ${names.join(' → ')}`, {
    hint: 'Each arrow is an input. Take one of them away, or narrow it to another derivation.',
  });
}
