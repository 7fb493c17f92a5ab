// What a package card may say: the types, and definePackage, which returns the card as it is. Pure data: a card is
// overridden by object spread. Knows nothing of how a card becomes build steps (package-set.ts does).

import type { DebianSource, Derivation, InputDeclaration, InputLike } from '../../engine/model/index.ts';
import type { Build } from './build.ts';
import { trixie } from './suites.ts';

/** One package: what it is, its source, its build, what it gives. */
export interface Package {
  /** Also the name of its pinned input and of its output in the flake. */
  readonly name: string;
  /** What it is, in a few words without a full stop. */
  readonly description: string;
  /** An SPDX licence expression. */
  readonly licence: string;
  readonly homepage: string;
  /** A declaration is pinned by `flake-like.lock` under the package's name; a derivation is taken as the source tree. */
  readonly source: InputDeclaration | Derivation;
  /** Applied in order with `patch -p1`. */
  readonly patches?: readonly Patch[];
  /**
   * What its Debian source has in `debian/patches/series` beside the patches that are taken, each with the reason why it is not
   * needed here. The input NAME-debian pins that series.
   */
  readonly leaves?: Readonly<Record<string, string>>;
  readonly needs?: Needs;
  readonly build: Build;
  readonly gives: Gives;
  /** Lets compilers answer from earlier builds of the package, for this machine alone: false when not given. */
  readonly compileCache?: boolean;
}

/**
 * The text of a diff, or a derivation that gives the file; with the CVEs that it fixes, where it fixes any, and the name of the
 * patch in Debian's series that it stands for, where there is one. Without a text, it is that patch, out of the pinned series.
 */
export type Patch = Diff | DescribedPatch;
interface DescribedPatch {
  readonly diff?: Diff;
  readonly fixes?: readonly string[];
  readonly debian?: string;
}
type Diff = string | InputLike;

/** Other packages, by name. */
export interface Needs {
  /** Linked against: there when building, and there when running. What they need comes with them. */
  readonly libraries?: readonly string[];
  /** There when building only. */
  readonly build?: readonly string[];
  /** There when running only. */
  readonly runtime?: readonly string[];
  /** Further layers of tools above the seed. */
  readonly tools?: readonly 'cxx'[];
}

/** What comes out of a build, and what is checked about it in the build. Paths are relative to the target's root. */
export interface Gives {
  /** `['out']` when not given. `dev` gets headers, static libraries, pkg-config files and section 3 of the manual. */
  readonly outputs?: readonly ['out'] | readonly ['out', 'dev'];
  /** Files (or links) that have to be there; `$target` is the GNU name of the target. */
  readonly files: readonly string[];
  /** Shared libraries by soname: there, and with every symbol and version of Debian's library of that name. */
  readonly libraries?: readonly string[];
  /** Symbols of Debian's libraries that are known to be missing here, as `name@VERSION`; say why in a comment. */
  readonly lacks?: readonly string[];
  /** Commands that have to succeed beside nothing but the C library and what the package needs when running. */
  readonly runs: readonly (readonly string[])[];
  /**
   * Programs in Python that try what takes a terminal, or files of a certain form: run by the seed's, with the package and
   * what it needs when running below /root, as far as this machine can run it. They end with 0 when all is well.
   */
  readonly tries?: readonly string[];
  /** Programs that an image should make set-user-id root; trees do not keep that bit. */
  readonly setuid?: readonly string[];
}

/**
 * A card, with its own type kept, so that an override knows what it spreads.
 * @example
 * export const hello = definePackage({
 *   name: 'hello',
 *   description: 'prints a greeting',
 *   licence: 'GPL-3.0-or-later',
 *   homepage: 'https://www.gnu.org/software/hello/',
 *   source: debianSource('hello'),
 *   build: autotools({}),
 *   gives: { files: ['usr/bin/hello'], runs: [['/usr/bin/hello']] },
 * });
 */
export function definePackage<P extends Package>(card: P): P {
  return card;
}

/**
 * The original archive of a Debian source package.
 * @example debianSource('sed')
 */
export function debianSource(name: string) {
  return { kind: 'debian-source', ...trixie, package: name } as const satisfies InputDeclaration;
}

/** What Debian adds to the source of a package: its patches. */
export function debianPart(source: DebianSource) {
  return { ...source, part: 'debian' } as const satisfies InputDeclaration;
}

/** The name of the input with that. */
export function debianInput({ name }: Pick<Package, 'name'>): `${string}-debian` {
  return `${name}-debian`;
}

/** A patch with what is said of it. */
export function describedPatch(patch: Patch): DescribedPatch {
  const isDiff = typeof patch === 'string' || 'kind' in patch || 'derivation' in patch;
  return isDiff ? { diff: patch } : patch;
}

/** The CVEs that a card's patches fix. */
export function fixesOf({ patches = [] }: Package): readonly string[] {
  return patches.flatMap((patch) => describedPatch(patch).fixes ?? []);
}

/** True when a patch of it is out of the pinned series. */
export function takesFromDebian({ patches = [] }: Package): boolean {
  return patches.map(describedPatch).some(({ diff, debian }) => diff === undefined && debian !== undefined);
}

/** The names of a card's outputs. */
export function outputsOfCard(card: Package): readonly ('out' | 'dev')[] {
  return card.gives.outputs ?? ['out'];
}
