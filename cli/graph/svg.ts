// A picture as SVG, laid out by Graphviz compiled to WebAssembly. The library is large: import this file lazily.

import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { formatDot } from './dot.ts';
import type { Picture } from './picture.ts';

export async function formatSvg(picture: Picture): Promise<string> {
  const graphviz = await Graphviz.load();
  return graphviz.dot(formatDot(picture), 'svg');
}
