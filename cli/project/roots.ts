// Which outputs stay in the store: what was built last for each target, the sandbox, and what links point to. Garbage
// collection itself is the store's.

import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../store/base/digest.ts';
import { isErrno } from '../../store/base/errors.ts';
import type { RecordWriter, Store } from '../../store/index.ts';
import type { Project } from './project.ts';
import type { FoundOutput } from './named-outputs.ts';

/** How many successive builds of one target are kept, so that the last one can be compared with the one before. */
const keptBuilds = 2;

/** A use is written down again after so long. */
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Keeps what was built, what it was built from, and the sandbox to build it in again, and says that it was used. Writes
 * nothing when it is kept already and was used within a day.
 */
export async function recordBuilds(project: Project, made: readonly FoundOutput[]): Promise<void> {
  const { records } = project.store;
  const { configPath, sandbox } = project.evaluation;
  const current = [
    ...made.map(({ key, id }) => ({ name: `${buildPrefix}${configPath}#${key}`, id })),
    ...(sandbox === undefined ? [] : [{ name: `${sandboxPrefix}${configPath}#`, id: sandbox }]),
  ];
  const moved = current.flatMap(({ name, id }) => {
    const before = records.root(name)?.derivations ?? [];
    return before[0] === id
      ? []
      : [{ name, derivations: [id as Digest, ...without(before, id)].slice(0, keptBuilds) }];
  });
  const sinceMs = Date.now() - dayMs;
  const stale = current.filter(({ id }) => (records.lastUse(id) ?? 0) < sinceMs);
  if (moved.length + stale.length === 0) return;
  await records.update((writer: RecordWriter) => {
    for (const root of moved) writer.putRoot(root);
    for (const { id } of stale) writer.markUsed(id);
  });
}

/** Keeps what a link points to for as long as the link is there. */
export async function recordLink(
  project: Project,
  path: string,
  targets: readonly FoundOutput[],
): Promise<void> {
  const derivations = targets.map(({ id }) => id);
  await project.store.records.update((writer) =>
    writer.putRoot({ name: `${linkPrefix}${path}`, derivations }),
  );
}

/** Forgets links that are gone or lead elsewhere by now. */
export async function dropDeadLinks({ path, records }: Store): Promise<void> {
  const dead = [...records.roots()].filter(
    ({ name }) => name.startsWith(linkPrefix) && !leadsInto(path, name),
  );
  if (dead.length === 0) return;
  await records.update((writer) => {
    for (const { name } of dead) writer.removeRoot(name);
  });
}

/** True for what is kept for a project that is not there any more; it may have moved, so nobody but a person lets go of it. */
export function isOrphan(rootName: string): boolean {
  const prefix = [buildPrefix, sandboxPrefix].find((known) => rootName.startsWith(known));
  return prefix !== undefined && !existsSync(rootName.slice(prefix.length, rootName.lastIndexOf('#')));
}

const buildPrefix = 'build:';
const sandboxPrefix = 'sandbox:';
const linkPrefix = 'link:';

// Several targets have a folder of links; one has a link.
function leadsInto(store: string, name: string): boolean {
  const place = name.slice(linkPrefix.length);
  const links =
    linkTarget(place) === undefined ? entriesOf(place).map((entry) => join(place, entry)) : [place];
  return links.some((link) => linkTarget(link)?.startsWith(`${store}/`) === true);
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EINVAL', 'ENOTDIR', 'EACCES')) return undefined;
    throw error;
  }
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function without(derivations: readonly Digest[], id: Digest): Digest[] {
  return derivations.filter((other) => other !== id);
}
