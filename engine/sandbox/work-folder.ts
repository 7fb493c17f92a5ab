// The folders one step writes to, all on the store's file system so that outputs can be moved and not copied.

import { chmodSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { defaultAccessList, hasDefaultAccessList } from '../../store/base/default-access-list.ts';
import type { BuildRequest } from '../execute/executor.ts';
import { stepEpochSeconds } from '../execute/step-view.ts';

/** Where a step's writes go. */
export interface WorkFolder {
  readonly path: string;
  /** Writes to the root outside the folders below; thrown away. */
  readonly upper: string;
  readonly build: string;
  readonly temporary: string;
  /** One folder for each output, by its name. */
  readonly outputs: string;
  /** What a step with a compile cache is given of it; made when there is one. */
  readonly compileCache: string;
}

/** The layout under `path`, without touching anything. */
export function workFolder(path: string): WorkFolder {
  return {
    path,
    upper: join(path, 'upper'),
    build: join(path, 'build'),
    temporary: join(path, 'tmp'),
    outputs: join(path, 'outputs'),
    compileCache: join(path, 'compile-cache'),
  };
}

/** All folders of a layout that a step sees when it begins, a folder before those in it. */
export function shownFolders(
  folder: WorkFolder,
  { outputs, incremental }: Pick<BuildRequest, 'outputs' | 'incremental'>,
): readonly ShownFolder[] {
  const inBuild = withFoldersAbove(incremental?.folders ?? []).map((name) => join(folder.build, name));
  const outputFolders = outputs.map((output) => join(folder.outputs, output));
  const usual = [folder.upper, folder.build, ...inBuild, folder.outputs, ...outputFolders];
  return [...usual.map((path) => ({ path, mode: 0o755 })), { path: folder.temporary, mode: 0o1777 }];
}

export interface ShownFolder {
  readonly path: string;
  readonly mode: number;
}

/**
 * Makes the layout, empty. Always new: a folder that was used before may carry attributes and access lists.
 * @throws UserError `STORE_UNUSABLE` when all that is made there has one
 */
export function makeWorkFolder(
  path: string,
  request: Pick<BuildRequest, 'outputs' | 'incremental'>,
): WorkFolder {
  const folder = workFolder(path);
  const shown = shownFolders(folder, request);
  makeFolder(path);
  if (hasDefaultAccessList(path)) throw defaultAccessList();
  for (const made of shown) makeFolder(made.path, made.mode);
  // Of the root too, as long as bubblewrap makes no place for an input in it.
  for (const made of shown) utimesSync(made.path, stepEpochSeconds, stepEpochSeconds);
  return folder;
}

/** What mounting a root takes beside layers and a work folder. */
export interface Scaffold {
  /** The lowest layer of every root: empty folders to mount the others on. May serve several roots at once. */
  readonly mountPoints: string;
  /** The kernel's scratch for one overlay at a time; whatever an earlier one left in it, the kernel removes. */
  readonly overlay: string;
}

/** A scaffold under `path`, without touching anything. */
export function scaffoldIn(path: string): Scaffold {
  return { mountPoints: join(path, 'mount-points'), overlay: join(path, 'overlay') };
}

/** Its folders, a folder before those in it. */
export function scaffoldFolders({ mountPoints, overlay }: Scaffold): readonly string[] {
  const places = ['build', 'dev', 'outputs', 'proc', 'tmp'].map((name) => join(mountPoints, name));
  return [mountPoints, ...places, overlay];
}

/** Makes a scaffold in an existing folder. */
export function makeScaffold(folder: string): Scaffold {
  const scaffold = scaffoldIn(folder);
  for (const made of scaffoldFolders(scaffold)) makeFolder(made);
  return scaffold;
}

// Each once, a folder before those in it.
function withFoldersAbove(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) => {
    const parts = path.split('/');
    return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
  });
  return [...new Set(all)];
}

// The mode is what a step sees, whatever this process's umask is.
function makeFolder(path: string, mode = 0o755): void {
  mkdirSync(path);
  chmodSync(path, mode);
}
