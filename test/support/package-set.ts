// The real package set and lock, for tests that look at what the cards become; nothing is built.

import { readLock } from '../../engine/lock/lock-file.ts';
import { pinsFor } from '../../engine/lock/pins-for.ts';
import { closureOf, identify } from '../../engine/evaluate/identify.ts';
import type { Derivation } from '../../engine/model/index.ts';
import { inputs } from '../../derivations/index.ts';

/** The pins of this repository's lock file, checked against the declarations. */
export const pins = pinsFor(readLock('flake-like.lock'), inputs);

/** Derivation ids by the given names, comparable between calls. */
export function idsOf(derivations: Readonly<Record<string, Derivation>>): Readonly<Record<string, string>> {
  const identified = identify(closureOf(Object.values(derivations)), () => {
    throw new Error('no package takes a local folder');
  });
  return Object.fromEntries(
    Object.entries(derivations).map(([name, derivation]) => [name, identified.idOf(derivation)]),
  );
}
