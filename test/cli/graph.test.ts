// Pictures of what needs what: commands alone, seen through what lies between them.

import { describe, expect, it } from 'vitest';
import { formatDot } from '../../cli/graph/dot.ts';
import { drawClosure } from '../../cli/graph/picture.ts';
import { compose, run, write } from '../../engine/model/index.ts';
import type { DerivationId, Step } from '../../engine/index.ts';
import { stepSource, stepWith } from '../support/steps.ts';

const recipe = write({ name: 'recipe', files: { file: 'x' } });
const seed = run({ name: 'seed', layers: [recipe], argv: ['/bin/seed'] });
const tree = compose({ name: 'tree', parts: [seed] });
const sed = run({ name: 'sed', layers: [tree], argv: ['/bin/sed'] });
const bash = run({ name: 'bash', layers: [tree], inputs: { '/sed': sed }, argv: ['/bin/bash'] });
const root = compose({ name: 'root', parts: [sed, bash] });
const { steps, idOf } = stepSource(root);

function named(picture: ReturnType<typeof drawClosure>): { nodes: string[]; edges: string[] } {
  const name = new Map(picture.nodes.map((node) => [node.id, node.name]));
  return {
    nodes: picture.nodes.map((node) => node.name),
    edges: picture.edges.map(({ from, to }) => `${name.get(from)!} → ${name.get(to)!}`),
  };
}

describe('a picture', () => {
  it('shows commands, and arrows through what lies between them', () => {
    const { nodes, edges } = named(drawClosure([idOf(root)], { steps, all: false }));
    expect(nodes).toEqual(['root', 'sed', 'bash', 'seed']);
    expect(edges).toEqual(['sed → root', 'bash → root', 'seed → sed', 'seed → bash', 'sed → bash']);
  });

  it('shows everything when asked to', () => {
    const { nodes, edges } = named(drawClosure([idOf(root)], { steps, all: true }));
    expect(nodes).toHaveLength(6);
    expect(edges).toContain('tree → bash');
  });

  it('follows as many arrows as asked for', () => {
    const { nodes } = named(drawClosure([idOf(root)], { steps, all: true, depth: 1 }));
    expect(nodes).toEqual(['root', 'sed', 'bash']);
  });

  it('goes through graphs deeper than the call stack', () => {
    const chain = (id: DerivationId): Step => {
      const below = Number(id) - 1;
      return stepWith(id, root, below < 0 ? [] : [String(below)]);
    };
    const picture = drawClosure(['50000' as DerivationId], { steps: chain, all: false });
    expect(picture.nodes).toHaveLength(1);
  });

  it('is written in the DOT language with names that cannot break it', () => {
    const dot = formatDot({
      nodes: [{ id: idOf(sed), name: 'a"b\\c', kind: 'fetch', target: undefined }],
      edges: [],
    });
    expect(dot).toContain('label="fetch a\\"b\\\\c", shape=note');
  });
});
