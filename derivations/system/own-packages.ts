// Our own packages and the C library as components, and which of their programs are set-user-id. Pure.

import { compose, composePackages, isDerivation } from '../../engine/model/index.ts';
import type { Bootstrap } from '../bootstrap/index.ts';
import { localePins } from '../bootstrap/sysroot.ts';
import { debianInput, fixesOf, takesFromDebian } from '../lib/package.ts';
import type { BuiltPackage } from '../lib/built-package.ts';
import { pinsOf, sourceOfEach, type PinsByName } from '../lib/pins.ts';
import type { Component } from './component.ts';
import type { Attributes } from './feature.ts';
import type { Target } from '../../engine/model/index.ts';

/** A built package, less what is left out. */
export function ownComponent(
  { card, version, out, notices }: BuiltPackage,
  pins: PinsByName,
  leftOut: readonly string[],
): Component {
  const sources = [
    ...(isDerivation(card.source) ? [] : pinsOf(pins, card.name)),
    ...(takesFromDebian(card) ? pinsOf(pins, debianInput(card)) : []),
  ];
  return {
    name: card.name,
    version,
    licence: card.licence,
    sources: sourceOfEach(sources),
    fixes: fixesOf(card),
    notices,
    tree: compose({ name: card.name, parts: [{ input: out, exclude: leftOut }] }),
  };
}

/** The C library with the compiler's own, as they are in the sysroot that everything was linked with, and C.UTF-8. */
export function cLibrary({ libc, locale }: Bootstrap, pins: PinsByName, target: Target): Component {
  const packages = pinsOf(pins, `sysroot-${target}`).filter(({ name }) =>
    ['libc6', 'libgcc-s1'].includes(name),
  );
  return {
    name: 'libc',
    version: packages.find(({ name }) => name === 'libc6')?.version ?? '',
    licence: 'LGPL-2.1-or-later AND GPL-3.0-or-later WITH GCC-exception-3.1',
    sources: sourceOfEach([...packages, ...localePins(pins)]),
    notices: compose({
      name: 'libc-notices',
      parts: [{ input: composePackages('libc-packages', packages), include: ['usr/share/doc/*/copyright'] }],
    }),
    tree: compose({ name: 'libc', parts: [libc, locale] }),
  };
}

/** The set-user-id programs that cards name. */
export function setuidPrograms(packages: readonly BuiltPackage[]): Readonly<Record<string, Attributes>> {
  const programs = packages.flatMap(({ card }) => card.gives.setuid ?? []);
  return Object.fromEntries(programs.map((path) => [path, { mode: '4755' }]));
}
