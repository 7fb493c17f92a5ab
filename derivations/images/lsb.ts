// The userland: all packages, what they need when running and the C library, as one target root with a merged /usr.
// Two packages that bring one path are an error here; who gives which program is decided in the cards.

import { compose, type Derivation, type InputLike } from '../../engine/model/index.ts';
import type { BuiltPackage } from '../lib/built-package.ts';

/**
 * One root out of packages.
 * @example lsb({ packages: Object.values(createPackages({ pins, target })), libc: bootstrap({ pins, target }).libc })
 */
export function lsb({
  packages,
  libc,
}: {
  readonly packages: readonly BuiltPackage[];
  readonly libc: InputLike;
}): Derivation {
  const all = [...new Set(packages.flatMap((one) => [one, ...one.runtime]))];
  return compose({ name: 'lsb', parts: [libc, ...all.map((one) => one.out)] });
}
