// From what a person names to the content it stands for: an output that was built, or a digest, and a path inside.

import type { Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { MissingBlob, openStore, parseTreePath, type Node, type Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { openProject, type Project } from '../project/project.ts';
import { findPlace, splitPlace, type FoundOutput } from '../project/named-outputs.ts';

export interface Contents extends AsyncDisposable {
  readonly store: Store;
  /** What `text` stands for. @throws UserError `TARGET_UNKNOWN`, `PATH_NOT_FOUND`, `PATH_INVALID`. */
  find(text: string): Found;
}

export interface Found {
  readonly node: Node;
  /**
   * Runs `use`, which reads what is in there. What of it is lost is built again first, where it is known by what.
   * @throws MissingBlob, UserError `STORE_MISSING_BLOB`
   */
  whole<T>(use: () => T | Promise<T>): Promise<T>;
  /** A path of this machine at which the content lies, to be read by this command. */
  materialise(): Promise<string>;
  /** A path of this machine for people, who may alter what lies there without altering any result. */
  handOut(): Promise<string>;
}

/** Opens what `texts` are in. Digests alone need no project. */
export async function openContents(context: Context, texts: readonly string[]): Promise<Contents> {
  if (texts.every((text) => typeof splitPlace(text).what !== 'string')) return openDigests(context);
  const project = await openProject(context, { targets: texts });
  return {
    store: project.store,
    find: (text) => findInProject(project, text),
    [Symbol.asyncDispose]: () => project[Symbol.asyncDispose](),
  };
}

/** The node of an output. @throws UserError `PATH_NOT_FOUND` when it is not built. */
export function builtNode({ build }: Project, { key, id, output }: FoundOutput): Node {
  const node = build.outputsOf(id)?.[output];
  if (node !== undefined) return node;
  throw new UserError('PATH_NOT_FOUND', `${key} is not built as it is described now`, {
    hint: `Build it: cairn build ${key}`,
  });
}

/** The node at a path in another. @throws UserError `PATH_NOT_FOUND`, `PATH_INVALID`. */
export function nodeAt(store: Store, top: Node, { what, path }: { what: string; path: string }): Node {
  parseTreePath(path);
  const node = path === '' ? top : store.trees.lookup(top, path);
  if (node !== undefined) return node;
  const above = path.split('/').slice(0, -1).join('/');
  const place = above !== '' && store.trees.lookup(top, above) !== undefined ? `${what}/${above}` : what;
  throw new UserError('PATH_NOT_FOUND', `${what} has no ${path}`, {
    hint: `See what is there: cairn ls ${place}`,
  });
}

async function openDigests({ shared }: Context): Promise<Contents> {
  const store = await openStore(shared.store);
  return {
    store,
    find: (text) => findDigest(store, text),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

function findInProject(project: Project, text: string): Found {
  const { what, path } = findPlace(project.evaluation, text);
  const { build } = project;
  if (what.kind === 'digest') {
    const found = findDigest(project.store, text);
    return { ...found, whole: (use) => found.whole(() => build.whole([], use, [found.node])) };
  }
  const node = nodeAt(project.store, builtNode(project, what), { what: what.key, path });
  return {
    node,
    whole: (use) => build.whole([what.id], use, [node]),
    materialise: async () => below(await build.materialise(what.id, what.output), path),
    handOut: async () => below(await build.handOut(what.id, what.output), path),
  };
}

function findDigest(store: Store, text: string): Found {
  const { what, path } = splitPlace(text);
  const { digest } = what as { digest: Digest };
  const top = nodeOfDigest(store, digest);
  const node = nodeAt(store, top, { what: digest, path });
  const place = (): Promise<string> =>
    top.kind === 'tree' ? store.materialise(digest) : store.blobs.path(digest, false);
  return {
    node,
    whole: (use) => tellingOfLeft(store, use),
    materialise: async () => below(await tellingOfLeft(store, place), path),
    handOut: async () => below(await tellingOfLeft(store, () => store.handOut(top)), path),
  };
}

// Nothing says what made it, so that it cannot be made again.
async function tellingOfLeft<T>(store: Store, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    const place = error instanceof MissingBlob ? store.left.placeOf(error.digest) : undefined;
    if (place === undefined) throw error;
    throw new UserError(
      'PATH_NOT_FOUND',
      `${(error as MissingBlob).digest} stayed at ${place}, and never came here`,
      {
        hint: 'Name the output that it is in: it is brought then, or made again.',
        fault: 'environment',
        cause: error,
      },
    );
  }
}

function nodeOfDigest(store: Store, digest: Digest): Exclude<Node, { kind: 'symlink' }> {
  if (store.trees.get(digest) !== undefined) return { kind: 'tree', digest };
  if (store.blobs.has(digest) || store.left.has(digest)) return { kind: 'blob', digest, executable: false };
  throw new UserError('PATH_NOT_FOUND', `the store has nothing with the digest ${digest}`, {
    hint: 'Digests are written as 64 hex digits, "/", and the size in bytes; `cairn build --json` gives them.',
  });
}

function below(folder: string, path: string): string {
  return path === '' ? folder : `${folder}/${path}`;
}
