// What of the sandbox's own tree goes along with a step: bubblewrap, its loader and the libraries beside it. Reads Merkle nodes only.

import { UserError } from '../../store/base/errors.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Node, Trees } from '../../store/index.ts';
import { libraryFolders, loaderName } from '../sandbox/tool.ts';

export interface TravellingTool {
  /** By their paths in the folder that they travel in. */
  readonly files: readonly (readonly [path: string, node: Node])[];
  /** How bubblewrap is started, in the folder above that one. */
  readonly bubblewrap: readonly string[];
}

const program = 'usr/bin/bwrap';

/** @throws UserError `SANDBOX_UNAVAILABLE` naming what is not there; MissingBlob */
export function travellingTool(tree: Digest, folder: string, trees: Trees): TravellingTool {
  const lookup = (path: string): Node | undefined => trees.lookup({ kind: 'tree', digest: tree }, path);
  const libraries = libraryFolders.find((path) => lookup(`${path}/${loaderName}`)?.kind === 'blob');
  const bubblewrap = lookup(program);
  if (bubblewrap?.kind !== 'blob') throw incomplete(program);
  const listed = libraries === undefined ? undefined : lookup(libraries);
  if (libraries === undefined || listed?.kind !== 'tree') throw incomplete(loaderName);
  // Folders beside them have what other programs load: character sets, modules.
  const files = [...(trees.get(listed.digest) ?? [])].filter(([, { kind }]) => kind !== 'tree');
  return {
    files: [[program, bubblewrap], ...files.map(([name, node]) => [`${libraries}/${name}`, node] as const)],
    bubblewrap: [
      `${folder}/${libraries}/${loaderName}`,
      '--library-path',
      `${folder}/${libraries}`,
      `${folder}/${program}`,
    ],
  };
}

function incomplete(part: string): UserError {
  return new UserError('SANDBOX_UNAVAILABLE', `the sandbox program cannot travel: its tree has no ${part}`, {
    hint: 'Check what the flake gives as `sandbox`: bubblewrap and its libraries.',
    fault: 'environment',
  });
}
