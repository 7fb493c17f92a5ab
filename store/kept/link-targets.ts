// What a path that changed may lead to: make(1) follows links, and goes by the time of what is at their end. So when a link
// comes or is turned, what it leads to has to look changed as well. Reads Merkle nodes only; knows paths as a step sees them.

import { posix } from 'node:path';
import type { Node } from '../trees/tree.ts';
import type { Trees } from '../store.ts';

/** As the kernel's bound (path_resolution(7)). */
const mostLinks = 40;

/** By path in the step. */
type Sources = Readonly<Record<string, Node>>;

/** The files at the end of links, those in folders at their end, and so on: absolute paths in the step, without links in them. */
export function filesBehind(links: Iterable<string>, sources: Sources, trees: Pick<Trees, 'get'>): string[] {
  const tops = new Set<string>();
  const files: string[] = [];
  const pending = [...links];
  for (let link = pending.pop(); link !== undefined; link = pending.pop()) {
    const end = nodeAt(link, sources, trees)?.kind === 'symlink' ? resolve(link, sources, trees) : undefined;
    if (end === undefined || tops.has(end)) continue;
    tops.add(end);
    for (const [path, node] of nodesBelow(end, nodeAt(end, sources, trees), trees)) {
      if (node.kind === 'blob') files.push(path);
      if (node.kind === 'symlink') pending.push(path);
    }
  }
  return [...new Set(files)];
}

/** All files of all sources. */
export function filesIn(sources: Sources, trees: Pick<Trees, 'get'>): string[] {
  return Object.entries(sources).flatMap(([place, node]) =>
    [...nodesBelow(place, node, trees)].flatMap(([path, { kind }]) => (kind === 'blob' ? [path] : [])),
  );
}

function* nodesBelow(
  path: string,
  node: Node | undefined,
  trees: Pick<Trees, 'get'>,
): Generator<readonly [string, Node]> {
  if (node === undefined) return;
  yield [path, node];
  if (node.kind !== 'tree') return;
  for (const [name, child] of trees.get(node.digest) ?? [])
    yield* nodesBelow(`${path}/${name}`, child, trees);
}

// Where a path ends, every link on the way followed; undefined for a circle.
function resolve(path: string, sources: Sources, trees: Pick<Trees, 'get'>): string | undefined {
  let at = '';
  let links = 0;
  const parts = path.split('/');
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      at = posix.dirname(at).replace(/^[/.]$/, '');
      continue;
    }
    const next = `${at}/${part}`;
    const node = nodeAt(next, sources, trees);
    if (node?.kind !== 'symlink') {
      at = next;
      continue;
    }
    if (++links > mostLinks) return undefined;
    if (node.target.startsWith('/')) at = '';
    parts.unshift(...node.target.split('/'));
  }
  return at;
}

function nodeAt(path: string, sources: Sources, trees: Pick<Trees, 'get'>): Node | undefined {
  const place = Object.keys(sources).find((source) => path === source || path.startsWith(`${source}/`));
  if (place === undefined) return undefined;
  let node: Node | undefined = sources[place];
  for (const part of path.slice(place.length + 1).split('/')) {
    if (part === '') continue;
    node = node?.kind === 'tree' ? trees.get(node.digest)?.get(part) : undefined;
  }
  return node;
}
