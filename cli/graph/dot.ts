// A picture in the DOT language (graphviz.org/doc/info/lang.html). Pure.

import type { StepRef } from '../../engine/index.ts';
import { stepName } from '../render/names.ts';
import type { Picture } from './picture.ts';

const shapes: Readonly<Record<StepRef['kind'], string>> = {
  run: 'box',
  compose: 'folder',
  fetch: 'note',
  unpack: 'component',
  write: 'note',
  local: 'tab',
};

export function formatDot({ nodes, edges }: Picture): string {
  const numbers = new Map(nodes.map(({ id }, at) => [id, at]));
  const lines = [
    'digraph cairn {',
    '  rankdir=LR;',
    '  node [fontname="sans-serif", fontsize=11, shape=box];',
    ...nodes.map((node, at) => `  n${at} [label=${quote(stepName(node))}, shape=${shapes[node.kind]}];`),
    ...edges.map(({ from, to }) => `  n${numbers.get(from)!} -> n${numbers.get(to)!};`),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
