// Which Debian packages a list of packages needs: the list, what it depends on, and so on. Pure: the same package set
// and declaration always give the same closure. Packages marked Essential are not added: no dependency names them.

import { UserError } from '../../store/base/errors.ts';
import { closestNames } from '../model/closest-names.ts';
import type { DebianPackages, PinnedFile, PinnedFiles } from '../model/flake.ts';
import type { Alternative, BinaryPackage, PackageSet } from './debian-packages.ts';

/**
 * One pin for each package of the closure, by name. What a declaration goes `without` counts as being there already:
 * whatever it would satisfy needs nothing else.
 * @throws UserError `CONFIG_INVALID` for a package that is not there or a dependency that nothing satisfies.
 */
export function pinPackages(declaration: DebianPackages, packages: PackageSet): PinnedFile[] {
  const closure = new Closure(declaration, packages);
  return closure.names().map((name) => pinOf(packages.get(name)!));
}

/**
 * @throws UserError `CONFIG_INVALID` for two of the pins that Debian does not install beside each other, unless the
 * declaration says of one of them that it is wanted all the same.
 */
export function refuseConflicts(
  { despiteConflicts = [] }: DebianPackages,
  pins: PinnedFiles,
  packages: PackageSet,
): void {
  const pinned = new Set(pins.map(({ name }) => name));
  const refused = pins.filter(({ name }) => !despiteConflicts.includes(name));
  for (const { name } of refused) {
    for (const conflict of packages.get(name)?.conflicts ?? []) {
      const other = packages
        .satisfying(conflict)
        .find((one) => one !== name && pinned.has(one) && !despiteConflicts.includes(one));
      if (other !== undefined) throw conflictOf(name, other, conflict);
    }
  }
}

function conflictOf(name: string, other: string, conflict: Alternative): UserError {
  return new UserError(
    'CONFIG_INVALID',
    `${name} is not meant to be installed beside ${other}: it conflicts with, or breaks, ${relationText(conflict)}`,
    {
      hint: `Leave one out with \`without\`, or, if both are wanted, say so: despiteConflicts: ['${other}'].`,
    },
  );
}

class Closure {
  readonly #declaration: DebianPackages;
  readonly #packages: PackageSet;
  readonly #without: ReadonlySet<string>;
  readonly #chosen = new Set<string>();

  constructor(declaration: DebianPackages, packages: PackageSet) {
    this.#declaration = declaration;
    this.#packages = packages;
    this.#without = new Set(declaration.without);
  }

  /**
   * Breadth first: all that was asked for by name is chosen before anything is chosen for it, so that a dependency on
   * either of two packages is satisfied by the one in the list.
   */
  names(): string[] {
    for (const name of this.#declaration.packages) {
      if (this.#packages.get(name) === undefined) throw this.#unknown(name);
      this.#chosen.add(name);
    }
    // A set's iteration goes on to what is added meanwhile.
    for (const name of this.#chosen) this.#chooseFor(this.#packages.get(name)!);
    return [...this.#chosen].sort();
  }

  #chooseFor(dependent: BinaryPackage): void {
    for (const group of dependent.dependencies) {
      const candidates = group.flatMap((alternative) => this.#packages.satisfying(alternative));
      if (group.some(({ name }) => this.#without.has(name))) continue;
      if (candidates.some((name) => this.#chosen.has(name) || this.#without.has(name))) continue;
      const [best] = candidates;
      if (best === undefined) throw this.#unsatisfied(dependent, group);
      this.#chosen.add(best);
    }
  }

  #unknown(name: string): UserError {
    const { suite, architecture } = this.#declaration;
    const providers = this.#packages.satisfying({ name, relation: undefined, version: '' });
    const alike = [...this.#packages.names].filter((other) => other.includes(name)).sort();
    const refused = this.#packages.refusedVersion(name);
    if (refused !== undefined)
      return new UserError('CONFIG_INVALID', `Debian ${suite} has "${name}" in no version: ${refused}`, {
        hint: 'Leave it out, or take another mirror or suite.',
      });
    const closest = closestNames(name, this.#packages.names);
    const instead = [...new Set([...providers, ...closest, ...alike])].slice(0, 5);
    return new UserError('CONFIG_INVALID', `Debian ${suite} has no package "${name}" for ${architecture}`, {
      hint:
        instead.length > 0
          ? `Did you mean ${instead.join(', ')}?`
          : 'Look for it on packages.debian.org: it may be called otherwise, or be of another archive area (`components`).',
    });
  }

  #unsatisfied(dependent: BinaryPackage, group: readonly Alternative[]): UserError {
    const { suite, components = ['main'] } = this.#declaration;
    const wanted = group.map(relationText);
    return new UserError(
      'CONFIG_INVALID',
      `${dependent.name} depends on ${wanted.join(' | ')}, which Debian ${suite} does not have in ${components.join(', ')}`,
      { hint: 'Add the archive area it is in to `components`, or leave it out with `without`.' },
    );
  }
}

function relationText({ name, relation, version, architecture }: Alternative): string {
  const full = architecture === undefined ? name : `${name}:${architecture}`;
  return relation ? `${full} (${relation} ${version})` : full;
}

/** What a lock has of a package. */
export function pinOf({
  name,
  version,
  mirror,
  filename,
  sha256,
  sizeBytes,
  source,
}: BinaryPackage): PinnedFile {
  return { name, version, urls: [`mirror://${mirror}/${filename}`], sha256, sizeBytes, source };
}
