// From cards to build steps: sources, patches, /target, the build, its checks. Needs are resolved by name, so a change
// to one card changes that package and those that need it, and nothing else.

import {
  UserError,
  compose,
  from,
  isDerivation,
  run,
  unpackPin,
  write,
  type Compose,
  type ComposePartSpec,
  type Derivation,
  type Input,
  type InputLike,
  type Target,
} from '../../engine/model/index.ts';
import { didYouMean } from '../../engine/model/closest-names.ts';
import { compileCache } from '../bootstrap/compile-cache.ts';
import { bootstrap, type Bootstrap } from '../bootstrap/index.ts';
import { buildEnvironment, buildScript } from './build-script.ts';
import type { BuiltPackage } from './built-package.ts';
import { checkCard } from './check-card.ts';
import { checkPackage } from './check-package.ts';
import { lazily } from './lazily.ts';
import { debianInput, describedPatch, outputsOfCard, takesFromDebian, type Package } from './package.ts';
import { pinOf, type PinsByName } from './pins.ts';
import { targetFacts } from './platform.ts';

type Cards = Readonly<Record<string, Package>>;
type Overrides<Named extends Cards> = { readonly [Name in keyof Named]?: (card: Named[Name]) => Package };
export type PackageSet<Named extends Cards> = { readonly [Name in keyof Named]: BuiltPackage };

export interface PackageSetOptions<Named extends Cards> {
  readonly pins: PinsByName;
  readonly target: Target;
  /** What to change in a card: `{ sed: (sed) => ({ ...sed, patches: [text] }) }`. */
  readonly overrides?: Overrides<Named>;
}

/**
 * All packages of `cards`, built for one target.
 * @throws UserError `DERIVATION_INVALID` when a card has a field that no card has, or needs a package that is not there,
 * or itself.
 * @example createPackageSet(cards, { pins, target, overrides: { sed: (sed) => ({ ...sed, patches: [fix] }) } }).sed.out
 */
export function createPackageSet<const Named extends Cards>(
  cards: Named,
  { pins, target, overrides }: PackageSetOptions<Named>,
): PackageSet<Named> {
  refuseUnknown(Object.keys(overrides ?? {}), Object.keys(cards));
  const base = bootstrap({ pins, target });
  const checked = Object.fromEntries(
    Object.entries<Package>(cards).map(([name, card]): [string, Package] => {
      const override = overrides?.[name] as ((card: Package) => Package) | undefined;
      return [name, checkCard(name, override?.(card) ?? card)];
    }),
  );
  refuseUnresolvable(checked);
  const set: Readonly<Record<string, BuiltPackage>> = lazily(
    Object.fromEntries(
      Object.entries(checked).map(([name, card]) => [
        name,
        () => createPackage(card, { pins, target, base, need: (needed) => set[needed]! }),
      ]),
    ),
  );
  return set as PackageSet<Named>;
}

function refuseUnknown(overrides: readonly string[], names: readonly string[]): void {
  const unknown = overrides.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new UserError('DERIVATION_INVALID', `overrides: there is no package "${unknown}"`, {
    hint: `${didYouMean(unknown, names)}There is: ${names.join(', ')}.`,
  });
}

// Mistakes in cards are told of whatever package is asked for.
function refuseUnresolvable(cards: Cards): void {
  const sound = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (sound.has(name)) return;
    const card = Object.hasOwn(cards, name) ? cards[name] : undefined;
    if (card === undefined || path.includes(name)) throw unresolvable(name, path);
    const { libraries = [], build = [], runtime = [] } = card.needs ?? {};
    for (const needed of [...libraries, ...build, ...runtime]) visit(needed, [...path, name]);
    sound.add(name);
  };
  for (const name of Object.keys(cards)) visit(name, []);
}

interface Surroundings {
  readonly pins: PinsByName;
  readonly target: Target;
  readonly base: Bootstrap;
  readonly need: (name: string) => BuiltPackage;
}

function createPackage(card: Package, { pins, target, base, need }: Surroundings): BuiltPackage {
  const direct = (card.needs?.libraries ?? []).map(need);
  const libraries = unique(direct.flatMap((library) => [library, ...library.libraries]));
  const running = [...direct, ...(card.needs?.runtime ?? []).map(need)];
  const runtime = unique(running.flatMap((other) => [other, ...other.runtime]));
  const alsoThere = (card.needs?.build ?? []).map(need);
  const building = unique([...alsoThere.flatMap((other) => [other, ...other.libraries]), ...libraries]);

  const { tree, version } = source(card, pins);
  const inputs = {
    '/src': tree,
    '/target': targetRoot(card, base, building),
    '/recipe': write({ name: `${card.name}-recipe`, files: { 'build.sh': scriptOf(card) } }),
    ...patches(card, pins),
  };
  const hasCxx = card.needs?.tools?.includes('cxx') ?? false;
  const build = run({
    name: card.name,
    target,
    layers: [base.seed, ...(card.needs?.tools ?? []).map((tool) => base[tool])],
    inputs,
    env: buildEnvironment(target, hasCxx),
    argv: ['/bin/bash', '-euo', 'pipefail', '/recipe/build.sh'],
    outputs: outputsOfCard(card),
    ...(card.compileCache === true && {
      compileCache: compileCache(pins, {
        compilers: compilersOf(target, hasCxx),
        sources: Object.keys(inputs),
      }),
    }),
  });
  const checks = checkPackage({ card, build, target, base, runtime });
  const description = `${card.description} (${version}, ${card.licence})`;
  const gated = (output: 'out' | 'dev', name: string): Compose =>
    compose({ name, description, parts: [from(build, { output }), ...checks] });
  const out = gated('out', card.name);
  return {
    card,
    version,
    build,
    runtime,
    libraries,
    out,
    notices: notices(card, tree, pins),
    root: compose({
      name: `${card.name}-with-libraries`,
      description: `${card.description}, with what it needs when running`,
      parts: [base.libc, base.locale, ...runtime.map((other) => other.out), out],
    }),
    dev: outputsOfCard(card).includes('dev') ? gated('dev', `${card.name}-dev`) : undefined,
  };
}

// Those that the build environment names.
function compilersOf(target: Target, hasCxx: boolean): readonly string[] {
  const { triplet } = targetFacts[target];
  return ['gcc', `${triplet}-gcc`, ...(hasCxx ? ['g++', `${triplet}-g++`] : [])];
}

function scriptOf(card: Package): string {
  return buildScript(card.build, { isPatched: (card.patches ?? []).length > 0 });
}

function source(card: Package, pins: PinsByName): { tree: Derivation; version: string } {
  if (isDerivation(card.source)) return { tree: card.source, version: 'local' };
  const pin = pinOf(pins, card.name);
  return { tree: unpackPin(pin), version: pin.version };
}

function patches(card: Package, pins: PinsByName): Readonly<Record<string, Derivation>> {
  const all = card.patches ?? [];
  if (all.length === 0) return {};
  const parts = all.map(describedPatch).map(({ diff, debian }, at) => {
    const file = `${String(at + 1).padStart(3, '0')}.patch`;
    if (typeof diff === 'string')
      return write({ name: `${card.name}-patch-${at + 1}`, files: { [file]: diff } });
    return { input: diff ?? patchOfDebian(card, debian, pins), at: file };
  });
  return { '/patches': compose({ name: `${card.name}-patches`, parts }) };
}

function patchOfDebian(card: Package, debian: string | undefined, pins: PinsByName): InputLike {
  if (debian === undefined)
    throw new UserError('DERIVATION_INVALID', `package ${card.name}: a patch of it has no text`, {
      hint: 'Give it one (diff), or the name of a patch in its Debian series (debian).',
    });
  return ofDebian(card, `patches/${debian}`, pins);
}

function ofDebian(card: Package, subpath: string, pins: PinsByName): Input {
  return from(unpackPin(pinOf(pins, debianInput(card))), { subpath });
}

// By the names that such files have. What Debian says of all files is nearest to being complete, where that is here anyway.
function notices(card: Package, source: Derivation, pins: PinsByName): Compose {
  const names = '{COPYING,LICEN[CS]E,Licen[cs]e,licen[cs]e,COPYRIGHT,Copyright,copyright,NOTICE,AUTHORS}';
  const parts: ComposePartSpec[] = [{ input: source, include: [`**/${names}*`] }];
  if (takesFromDebian(card)) parts.push({ input: ofDebian(card, 'copyright', pins), at: 'debian/copyright' });
  return compose({ name: `${card.name}-notices`, parts });
}

/** The C library and the needed packages, as a compiler sees them: no program or manual of theirs can matter. */
function targetRoot(card: Package, base: Bootstrap, needed: readonly BuiltPackage[]): Derivation {
  if (needed.length === 0) return base.sysroot;
  const include = ['usr/include/**', 'usr/lib/**', 'usr/share/pkgconfig/**', 'usr/share/aclocal/**'];
  const trees = needed.flatMap((other): InputLike[] => [other.out, ...(other.dev ? [other.dev] : [])]);
  return compose({
    name: `${card.name}-target`,
    parts: [base.sysroot, ...trees.map((input) => ({ input, include }))],
  });
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}

function unresolvable(name: string, path: readonly string[]): UserError {
  const needer = path.at(-1) ?? 'nothing';
  return path.includes(name)
    ? new UserError('DERIVATION_INVALID', `packages need each other: ${[...path, name].join(' → ')}`, {
        hint: 'Take one of these names out of `needs`.',
      })
    : new UserError('DERIVATION_INVALID', `${needer} needs "${name}", and there is no such package`, {
        hint: 'Correct the name in `needs`, or add a card with that name.',
      });
}
