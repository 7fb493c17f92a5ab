// From the description of a system to its root: packages, configuration, what is made out of them, and the checks that
// all of it depends on. The engine composes trees; which files those are is said in features/ and systems.ts.

import {
  compose,
  run,
  write,
  type Derivation,
  type InputLike,
  type Target,
} from '../../engine/model/index.ts';
import { bootstrap } from '../bootstrap/index.ts';
import type { BuiltPackage } from '../lib/built-package.ts';
import { createPackageSet, type PackageSet } from '../lib/package-set.ts';
import type { PinsByName } from '../lib/pins.ts';
import { targetFacts } from '../lib/platform.ts';
import { cards } from '../packages/index.ts';
import { accounts, checkOwners } from './accounts.ts';
import { checkFeature } from './check-feature.ts';
import type { Component } from './component.ts';
import { configuration, declaredAttributes } from './configuration.ts';
import type { Feature } from './feature.ts';
import { leftOutEverywhere } from './left-out.ts';
import { mergeFeatures } from './merge-features.ts';
import { osRelease } from './os-release.ts';
import { cLibrary, ownComponent, setuidPrograms } from './own-packages.ts';
import type { SystemDescription } from './description.ts';
import { refuseTwoVersions } from './one-version.ts';
import { prebuilt } from './prebuilt.ts';
import {
  attributesProgram,
  checkModulesProgram,
  checkProgramsProgram,
  rootTreeModule,
} from './programs/index.ts';

export interface RootFileSystem {
  readonly target: Target;
  /** Every file, folder and symlink at its path in the target root. It is there only when all checks have passed. */
  readonly tree: Derivation;
  /**
   * A tree with `attributes.json`: `{ "<path>": { mode?: "04755", uid?, gid? } }`. What is not listed is root:root, 0755
   * for folders and programs, 0644 for other files.
   */
  readonly attributes: Derivation;
  readonly components: readonly Component[];
  /** A tree with `licences.json`: by name of a Debian package, the licences that its copyright file names; `texts/NAME` is that file. */
  readonly licences: Derivation;
}

export interface RootOptions {
  readonly pins: PinsByName;
  readonly target: Target;
  /** Our own packages, when some of them are not as their cards say. */
  readonly packages?: PackageSet<typeof cards>;
  /** What else is in the root, like the modules of a kernel. */
  readonly components?: readonly Component[];
}

/**
 * The root of a system.
 * @throws UserError `DERIVATION_INVALID` for a name, id or path that two features have, or an account that none has;
 * `LOCK_INVALID` for one Debian source in two versions.
 * @example createRootFileSystem(raspberryPi, { pins, target: 'aarch64-linux' }).tree
 */
export function createRootFileSystem(description: SystemDescription, options: RootOptions): RootFileSystem {
  const { name, features } = description;
  const { pins, target } = options;
  const base = bootstrap({ pins, target });
  const { seed } = base;
  for (const feature of features) checkFeature(name, feature);
  const merged = mergeFeatures(name, features);
  const people = accounts(name, merged.users, merged.groups);
  checkOwners(name, merged, people);
  const leftOut = [
    ...leftOutEverywhere,
    ...features.flatMap((one) => one.leftOut ?? []),
    ...(description.leftOut ?? []),
  ];

  const own = ownPackages(features, options);
  const inputs = [...new Set(features.flatMap((one) => one.prebuilt ?? []))].sort();
  const debian = prebuilt({ name, inputs, pins, target, seed, leftOut });
  const packages = [
    cLibrary(base, pins, target),
    ...own.map((one) => ownComponent(one, pins, leftOut)),
    ...debian.components,
    ...(options.components ?? []),
  ];
  refuseTwoVersions(name, packages);
  const packagesTree = composed(`${name}-packages`, packages);
  const made = features.flatMap((one) => one.makes ?? []);
  const components = [
    ...packages,
    ...made.map((make) =>
      generated(
        make({ packages: packagesTree, whole: debian.whole, changelogs: debian.changelogs, seed, target }),
      ),
    ),
    generated(osRelease(packages, seed)),
    generated(configuration(description, merged, people, seed)),
  ];

  const tree = composed(`${name}-files`, components);
  const attributes = run({
    name: `${name}-attributes`,
    target,
    layers: [seed],
    inputs: {
      '/root-tree': tree,
      '/archives': compose({
        name: `${name}-archive-attributes`,
        parts: debian.attributes.map((input, at) => ({ input, at: String(at) })),
      }),
      '/declared': declaredAttributes(name, merged, people, setuidPrograms(own)),
      '/program': programs('attributes', attributesProgram),
    },
    argv: ['/usr/bin/python3', '/program/program.py'],
  });
  const checks = checkAll(name, packagesTree, {
    target,
    seed,
    modules: features.flatMap((one) => one.pythonModules ?? []),
  });
  return {
    target,
    tree: compose({ name, parts: [tree, ...checks] }),
    attributes,
    components,
    licences: debian.licences,
  };
}

function ownPackages(
  features: readonly Feature[],
  { pins, target, packages }: RootOptions,
): readonly BuiltPackage[] {
  const set = packages ?? createPackageSet(cards, { pins, target });
  const named = features
    .flatMap((one) => one.packages ?? [])
    .map((given): BuiltPackage => (typeof given === 'string' ? set[given] : given));
  return [...new Set(named.flatMap((one) => [one, ...one.runtime]))];
}

/** All trees as one. Two that bring different content to one path are an error that names both. */
function composed(name: string, components: readonly Component[]): Derivation {
  return compose({ name, parts: components.map(({ tree }) => tree) });
}

/** Each leaves an empty output, so that a check that passes again makes nothing else run again. */
function checkAll(
  name: string,
  packages: Derivation,
  {
    target,
    seed,
    modules,
  }: { readonly target: Target; readonly seed: Derivation; readonly modules: readonly string[] },
): readonly Derivation[] {
  const { triplet, elfMachine } = targetFacts[target];
  const include = ['{bin,sbin,lib,lib64}', 'usr/{bin,sbin,lib,lib64,libexec}/**', 'opt/**'];
  const root = compose({ name: `${name}-programs`, parts: [{ input: packages, include }] });
  const check = (what: string, text: string, words: readonly string[]): Derivation =>
    run({
      name: `${name}-${what}`,
      target,
      layers: [seed],
      inputs: { '/root-tree': root, '/program': programs(`check-${what}`, text) },
      argv: ['/usr/bin/python3', '/program/program.py', ...words],
      mayBeEmpty: ['out'],
    });
  return [
    check('programs-check', checkProgramsProgram, ['--triplet', triplet, '--machine', elfMachine]),
    check('modules-check', checkModulesProgram, modules),
  ];
}

function programs(name: string, text: string): InputLike {
  return write({ name, files: { 'program.py': text, 'root_tree.py': rootTreeModule } });
}

function generated(tree: Derivation): Component {
  return { name: tree.name, version: '', licence: 'Apache-2.0', sources: [], tree };
}
