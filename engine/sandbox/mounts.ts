// From the content addresses of a request to folders and files of this machine that a sandbox can mount.

import { UserError } from '../../store/base/errors.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Kept, Node, Store } from '../../store/index.ts';
import { mostLayers } from '../model/check-run.ts';
import type { BuildRequest } from '../execute/executor.ts';
import { stackedLayers } from '../execute/step-view.ts';
import type { ReaddirOrder } from './readdir-order.ts';

/** What a sandbox is made of, apart from the folders it writes to. */
export interface Mounts {
  /** Folders stacked into the root, lowest first. */
  readonly layers: readonly string[];
  /** In the order of their paths, so that one may lie inside another. */
  readonly inputs: readonly InputMount[];
}

export type InputMount =
  | { readonly kind: 'bind'; readonly path: string; readonly source: string }
  /** Several folders as one, lowest first. */
  | { readonly kind: 'stack'; readonly path: string; readonly sources: readonly string[] }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

export interface MountsOptions {
  /** Every folder is split in two that are mounted over each other, so that it lists its entries in another order. */
  readonly order?: ReaddirOrder | undefined;
  /** Has copies of some inputs, which take their place. */
  readonly kept?: Pick<Kept, 'sources'> | undefined;
}

/**
 * Makes the layers and inputs of a request available.
 * @throws MissingBlob when content is not in the store; UserError `DERIVATION_INVALID` for too many layers.
 */
export async function mountsOf(
  store: Store,
  request: BuildRequest,
  { order, kept }: MountsOptions = {},
): Promise<Mounts> {
  const { inputs } = request;
  if (request.layers.length > mostLayers) {
    throw new UserError(
      'DERIVATION_INVALID',
      `${request.name} has ${request.layers.length} layers; ${mostLayers} is the most a sandbox can stack`,
      { hint: 'Compose some of them into one tree first.' },
    );
  }
  const layers = stackedLayers(request.layers);
  const split = order !== undefined && layers.length * 2 <= mostLayers;
  const folders = await Promise.all(layers.map((tree) => foldersOf(store, tree, split ? order : undefined)));
  return {
    // The kernel refuses to stack a folder upon itself, and two layers may have a half in common.
    layers: stackedLayers(folders.flat()),
    inputs: await Promise.all(
      inputs.map(async ({ path, node }): Promise<InputMount> => {
        const source = node.kind === 'symlink' ? undefined : kept?.sources.get(path);
        return source === undefined
          ? inputMount(store, { path, node }, order)
          : { kind: 'bind', path, source };
      }),
    ),
  };
}

async function inputMount(
  store: Store,
  { path, node }: { readonly path: string; readonly node: Node },
  order: ReaddirOrder | undefined,
): Promise<InputMount> {
  switch (node.kind) {
    case 'blob':
      return { kind: 'bind', path, source: await store.materialiseBlob(node.digest, node.executable) };
    case 'symlink':
      return { kind: 'symlink', path, target: node.target };
    case 'tree': {
      const sources = await foldersOf(store, node.digest, order);
      return sources.length === 1
        ? { kind: 'bind', path, source: sources[0]! }
        : { kind: 'stack', path, sources };
    }
  }
}

async function foldersOf(
  store: Store,
  tree: Digest,
  order: ReaddirOrder | undefined,
): Promise<readonly string[]> {
  const trees = order === undefined ? [tree] : await order.split(tree);
  return stackedLayers(await Promise.all(trees.map((part) => store.materialise(part))));
}
