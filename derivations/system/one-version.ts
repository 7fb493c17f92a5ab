// That an image has one version of each Debian source: two halves of one source from two days were never tried together,
// and a fix that one of them has is not in the other. Pure.

import { UserError, type SourcePackage } from '../../engine/model/index.ts';
import type { Component } from './component.ts';

/** Versions of one source that are in a system side by side all the same, and why. */
export interface Tolerated {
  readonly source: string;
  readonly versions: readonly string[];
  readonly reason: string;
}

/** Each is for these very versions: any other pair is an error, and a test fails when one is not needed any more. */
export const tolerated: readonly Tolerated[] = [];

/** @throws UserError `LOCK_INVALID` for a source of which the components have packages of several versions. */
export function refuseTwoVersions(
  system: string,
  components: readonly Pick<Component, 'sources'>[],
  exceptions: readonly Tolerated[] = tolerated,
): void {
  for (const [source, versions] of versionsBySource(components)) {
    if (versions.length === 1 || exceptions.some((one) => isFor(one, source, versions))) continue;
    throw new UserError(
      'LOCK_INVALID',
      `${system}: packages of Debian's source ${source} are there in different versions, ${versions.join(' and ')}`,
      { hint: 'Run `cairn lock` for all inputs of the system at once.' },
    );
  }
}

/** By name of the source, its versions among what the components were made from, in the order of their text. */
export function versionsBySource(
  components: readonly Pick<Component, 'sources'>[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const { name, version } of components.flatMap(debianSources)) {
    const versions = found.get(name) ?? new Set();
    found.set(name, versions.add(version));
  }
  return new Map([...found].map(([name, versions]) => [name, [...versions].sort()]));
}

function debianSources({ sources }: Pick<Component, 'sources'>): readonly SourcePackage[] {
  return sources.flatMap((source) => ('url' in source && source.source !== undefined ? [source.source] : []));
}

function isFor({ source, versions }: Tolerated, name: string, found: readonly string[]): boolean {
  return source === name && JSON.stringify([...versions].sort()) === JSON.stringify(found);
}
