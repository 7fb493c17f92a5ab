// What a kernel's output has for a machine: the image, its modules, its device trees, each by what is in it. Reads Merkle
// nodes only; knows no machine.

import { digestHash, digestSize } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Node, Trees } from '../../store/index.ts';

export interface WantedFile {
  /** In the output. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface WantedKernel {
  /** What a person calls it: `kernel@aarch64-linux`. */
  readonly what: string;
  /** As `uname -m` says it. */
  readonly processor: string;
  readonly image: WantedFile;
  /** By the names that firmware knows them by. */
  readonly deviceTrees: ReadonlyMap<string, WantedFile>;
  readonly modules: WantedModules | undefined;
}

export interface WantedModules {
  readonly release: string;
  /** By path below the folder of that release. */
  readonly files: ReadonlyMap<string, WantedFile>;
}

const modulesFolder = 'usr/lib/modules';
/** What the machine's shell is handed as it is, and what fat32 can hold. */
const plainPath = /^[\w+,./-]+$/;

/** @throws UserError `USAGE` for an output that is no kernel */
export function wantedKernel(what: string, top: Node, trees: Pick<Trees, 'get' | 'lookup'>): WantedKernel {
  const files = filesIn(top, '', trees);
  const image = files.get('kernel');
  if (image === undefined) {
    throw new UserError('USAGE', `${what} is not a kernel: it has no file "kernel"`, {
      hint: 'Name an output such as kernel or kernel-rt, or one that is composed like these.',
    });
  }
  const odd = [...files.keys()].find((path) => !plainPath.test(path) || path.includes('..'));
  if (odd !== undefined) throw new UserError('USAGE', `${what} has a file that cannot be deployed: ${odd}`);
  const [, target = ''] = what.split('@');
  return {
    what,
    processor: target.replace(/-linux$/, ''),
    image,
    deviceTrees: below(files, 'dtbs', (path) => !path.includes('/') && path.endsWith('.dtb')),
    modules: modulesIn(what, top, { files, trees }),
  };
}

function modulesIn(
  what: string,
  top: Node,
  {
    files,
    trees,
  }: { readonly files: ReadonlyMap<string, WantedFile>; readonly trees: Pick<Trees, 'get' | 'lookup'> },
): WantedModules | undefined {
  const folder = trees.lookup(top, modulesFolder);
  const releases = folder?.kind === 'tree' ? [...(trees.get(folder.digest)?.keys() ?? [])] : [];
  const [release] = releases;
  if (release === undefined) return undefined;
  if (releases.length > 1)
    throw new UserError(
      'USAGE',
      `${what} has modules of more than one kernel: ${releases.sort().join(', ')}`,
    );
  return { release, files: below(files, `${modulesFolder}/${release}`, () => true) };
}

function below(
  files: ReadonlyMap<string, WantedFile>,
  folder: string,
  isWanted: (path: string) => boolean,
): ReadonlyMap<string, WantedFile> {
  const found = [...files]
    .filter(([path]) => path.startsWith(`${folder}/`))
    .map(([path, file]) => [path.slice(folder.length + 1), file] as const);
  return new Map(found.filter(([path]) => isWanted(path)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function filesIn(node: Node, path: string, trees: Pick<Trees, 'get'>): Map<string, WantedFile> {
  if (node.kind === 'blob')
    return new Map([[path, { path, sha256: digestHash(node.digest), sizeBytes: digestSize(node.digest) }]]);
  if (node.kind === 'symlink')
    throw new UserError('USAGE', `a kernel with a symlink cannot be deployed: ${path}`, {
      hint: 'Leave it out where the kernel is composed.',
    });
  const entries = [...(trees.get(node.digest) ?? [])];
  return new Map(
    entries.flatMap(([name, entry]) => [...filesIn(entry, path === '' ? name : `${path}/${name}`, trees)]),
  );
}
