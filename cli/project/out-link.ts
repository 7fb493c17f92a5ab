// --out-link: names outside the store for what was built.

import { randomBytes } from 'node:crypto';
import { lstat, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { makeOwnFolders } from '../../store/base/make-folder.ts';
import { withNamedPath } from '../reports/persons-error.ts';
import type { Project } from './project.ts';
import { recordLink } from './roots.ts';
import type { FoundOutput } from './named-outputs.ts';

/**
 * One target: a symbolic link at `path`. Several: a folder there with a link for each. Replaces links, nothing else.
 * @throws UserError `USAGE` when something else is in the way.
 */
export async function writeOutLinks(
  project: Project,
  targets: readonly FoundOutput[],
  path: string,
): Promise<void> {
  const place = resolve(path);
  for (const target of targets) {
    const content = await project.build.handOut(target.id, target.output);
    const link = targets.length === 1 ? place : join(place, target.key);
    await withNamedPath(link, () => replaceLink(link, content));
  }
  await recordLink(project, place, targets);
}

async function replaceLink(path: string, content: string): Promise<void> {
  await refuseOther(path);
  makeOwnFolders(dirname(path));
  // Renaming replaces in one step, so that nobody finds no link there.
  const fresh = `${path}.${randomBytes(6).toString('hex')}`;
  await symlink(content, fresh);
  try {
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
}

async function refuseOther(path: string): Promise<void> {
  try {
    if ((await lstat(path)).isSymbolicLink()) return;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  throw new UserError('USAGE', `${path} is there already, and is not a link that cairn made`, {
    hint: 'Name another path for --out-link, or move that away.',
  });
}
