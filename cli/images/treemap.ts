// An image as an SVG: every component a rectangle as large as its share, and in it its files. Pure.

import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy';
import { formatBytes } from '../render/units.ts';
import type { ImageFile } from './description.ts';

export interface TreemapSize {
  readonly width: number;
  readonly height: number;
}

interface Item {
  readonly name: string;
  readonly sizeBytes: number;
  readonly children?: readonly Item[];
}

type Rectangle = HierarchyRectangularNode<Item>;

const padding = { top: 18, inner: 1, outer: 2 };
/** Letters are about this wide at the size of the labels; a rectangle that is too small for its name has none. */
const letter = { width: 6.2, height: 13 };
/** Smaller files than this share of all are drawn as one. */
const leastShare = 1 / 5000;

/** The picture. Names and sizes are also in each rectangle's tooltip. */
export function treemapSvg(
  { title, files }: { readonly title: string; readonly files: readonly ImageFile[] },
  { width, height }: TreemapSize = { width: 1600, height: 1000 },
): string {
  const root = hierarchy<Item>(itemsOf(title, files), (item) => item.children)
    .sum((item) => (item.children === undefined ? item.sizeBytes : 0))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0) || (a.data.name < b.data.name ? -1 : 1));
  const laid = treemap<Item>()
    .size([width, height])
    .tile(treemapSquarify)
    .paddingTop(padding.top)
    .paddingInner(padding.inner)
    .paddingOuter(padding.outer)
    .round(true)(root);
  const total = laid.value ?? 0;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    ...laid.descendants().map((node) => rectangle(node, total)),
    '</svg>',
    '',
  ].join('\n');
}

function itemsOf(title: string, files: readonly ImageFile[]): Item {
  const least = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) * leastShare;
  const components = new Map<string, ImageFile[]>();
  for (const file of files) {
    const own = components.get(file.component);
    if (own === undefined) components.set(file.component, [file]);
    else own.push(file);
  }
  const children = [...components].map(([name, own]) => ({
    name,
    sizeBytes: 0,
    children: largeOnes(own, least),
  }));
  return { name: title, sizeBytes: 0, children };
}

function largeOnes(files: readonly ImageFile[], least: number): Item[] {
  const large = files.filter(({ sizeBytes }) => sizeBytes >= least);
  const small = files.filter(({ sizeBytes }) => sizeBytes < least);
  const rest = small.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return [
    ...large.map(({ path, sizeBytes }) => ({ name: path, sizeBytes })),
    ...(rest > 0 ? [{ name: `${small.length} smaller files`, sizeBytes: rest }] : []),
  ];
}

function rectangle(node: Rectangle, total: number): string {
  const { x0, y0, x1, y1, depth, data, value = 0 } = node;
  const [width, height] = [x1 - x0, y1 - y0];
  const share = total === 0 ? 0 : (100 * value) / total;
  const tooltip = `${data.name}: ${formatBytes(value)}, ${share.toFixed(1)} %`;
  const short = node.children === undefined ? data.name.slice(data.name.lastIndexOf('/') + 1) : data.name;
  const label = depth < 2 ? `${short}  ${formatBytes(value)}` : short;
  const isLabelled = height >= letter.height && width >= label.length * letter.width;
  return [
    `<g><title>${escaped(tooltip)}</title>`,
    `<rect x="${x0}" y="${y0}" width="${width}" height="${height}" fill="${colour(node)}"/>`,
    isLabelled ? `<text x="${x0 + 4}" y="${y0 + letter.height}">${escaped(label)}</text>` : '',
    '</g>',
  ].join('');
}

/** A hue for each component, by its place in the order of sizes; its files are lighter. */
function colour(node: Rectangle): string {
  const component = node.ancestors().at(-2);
  if (component === undefined) return '#fff';
  // Steps of the golden angle: neighbours in the order never look alike.
  const hue = ((component.parent?.children?.indexOf(component) ?? 0) * 137.5) % 360;
  return `hsl(${hue} 55% ${node.depth === 1 ? 70 : 84}%)`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
