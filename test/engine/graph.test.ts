import { describe, expect, it } from 'vitest';
import { closureGraph, graphOf, remainingMs, topologicalOrder } from '../../engine/graph.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import type { Step } from '../../engine/step.ts';
import { command, stepSource, stepWith } from '../support/steps.ts';

const a = command('a');
const b = command('b', a);
const c = command('c', a);
const d = command('d', b, c);

describe('the graph of steps', () => {
  it('holds everything the wanted steps need, once', () => {
    const { steps, idOf } = stepSource(d);
    const graph = closureGraph([idOf(d), idOf(b)], steps);
    expect(graph.order).toBe(4);
    expect(graph.size).toBe(4);
  });

  it('orders inputs before what needs them', () => {
    const { steps, idOf } = stepSource(d);
    const names = topologicalOrder(closureGraph([idOf(d)], steps)).map((step) => step.derivation.name);
    expect(names.at(0)).toBe('a');
    expect(names.at(-1)).toBe('d');
  });

  it('is as deep as it needs to be', () => {
    let top = command('bottom');
    for (let depth = 0; depth < 2_000; depth++) top = command(`level-${depth}`, top);
    const known = new Map<DerivationId, Step>();
    let below: DerivationId[] = [];
    for (let at = 0; at < 20_000; at++) {
      const id = `${at}` as DerivationId;
      known.set(id, stepWith(id, top, below));
      below = [id];
    }
    expect(topologicalOrder(closureGraph(below, (id) => known.get(id)!)).length).toBe(20_000);
  });

  it('measures for each step the longest way to the end', () => {
    const { steps, idOf } = stepSource(d);
    const ms: Record<string, number> = { a: 1, b: 10, c: 100, d: 1000 };
    const remaining = remainingMs(closureGraph([idOf(d)], steps), (step) => ms[step.derivation.name]!);
    expect([a, b, c, d].map((derivation) => remaining.get(idOf(derivation)))).toEqual([
      1101, 1010, 1100, 1000,
    ]);
  });

  it('reports a cycle as the path of names that closes it', () => {
    const cycle = ['one', 'two', 'three'].map((name, at): Step => {
      return stepWith(name, command(name), [['three', 'one', 'two'][at]!]);
    });
    const tail = stepWith('tail', command('tail'), ['three']);
    expect(() => topologicalOrder(graphOf([tail, ...cycle]))).toThrow(
      expect.objectContaining({
        code: 'GRAPH_CYCLE',
        message: expect.stringMatching(
          /(one → two → three → one|two → three → one → two|three → one → two → three)/,
        ) as string,
      }),
    );
  });
});
