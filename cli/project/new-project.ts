// A new project, out of one of cairn's examples: all of it or nothing, and nothing of the person's is written over. Knows no
// terminal and no command.

import { cpSync, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../store/base/errors.ts';
import { makeOwnFolders } from '../../store/base/make-folder.ts';
import { packageName, packageRoot } from '../../store/base/package-root.ts';

const examplesFolder = join(packageRoot, 'cli/examples');
/** What is in every project, beside what its example has. */
const every = 'every';
/** npm leaves files of some names out of packages. */
const realNames: Readonly<Record<string, string>> = { gitignore: '.gitignore' };

/** The examples there are, by name. */
export function exampleNames(): readonly string[] {
  return readdirSync(examplesFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== every)
    .map(({ name }) => name)
    .sort();
}

export interface NewProject {
  /** Where it is to be. Made when it is not there. */
  readonly folder: string;
  /** One of {@link exampleNames}. */
  readonly example: string;
  /** Writes the lock file that goes with the config at this path. */
  readonly lock: (configPath: string) => Promise<void>;
}

/**
 * Makes the project, and gives the names of what is in its folder now and was not before, sorted.
 * @throws UserError `FILE_EXISTS` when the folder has something of a name that the project needs; what `lock` throws.
 */
export async function makeNewProject({ folder, example, lock }: NewProject): Promise<readonly string[]> {
  const parts = [every, example].map((name) => join(examplesFolder, name));
  refuseToReplace(folder, [...parts.flatMap((part) => readdirSync(part).map(realNameOf)), 'flake-like.lock']);
  makeOwnFolders(folder);
  // Made aside, in the same file system: whatever goes wrong leaves the folder as it was.
  const aside = mkdtempSync(join(folder, '.cairn-init-'));
  try {
    for (const part of parts)
      for (const name of readdirSync(part))
        cpSync(join(part, name), join(aside, realNameOf(name)), { recursive: true });
    await lock(join(aside, 'flake-like.config.ts'));
    const names = readdirSync(aside).sort();
    refuseToReplace(folder, names);
    for (const name of names) renameSync(join(aside, name), join(folder, name));
    return names;
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/**
 * Has editors find the types of what configs import in this folder, where nothing of that name is installed yet. Builds need no such link.
 */
export function linkTypes(folder: string): void {
  const link = join(folder, 'node_modules', packageName);
  if (isThere(link)) return;
  makeOwnFolders(join(folder, 'node_modules'));
  symlinkSync(packageRoot, link);
}

function refuseToReplace(folder: string, names: readonly string[]): void {
  const there = [...new Set(names)].filter((name) => isThere(join(folder, name))).sort();
  if (there.length === 0) return;
  throw new UserError('FILE_EXISTS', `${folder} already has ${there.join(', ')}`, {
    hint: 'Nothing was changed. Name another folder: cairn init FOLDER.',
  });
}

function realNameOf(name: string): string {
  return realNames[name] ?? name;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
