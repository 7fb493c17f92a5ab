// The userland: all packages, what they need when running and the C library with its locale, as one target root with a merged /usr.
// Two packages that bring one path are an error here; who gives which program is decided in the cards.

import { compose, type Derivation, type InputLike } from '../../engine/model/index.ts';
import type { BuiltPackage } from '../lib/built-package.ts';

/**
 * One root out of packages.
 * @example
 * const { libc, locale } = bootstrap({ pins, target });
 * lsb({ packages: Object.values(createPackages({ pins, target })), libc, locale })
 */
export function lsb({
  packages,
  libc,
  locale,
}: {
  readonly packages: readonly BuiltPackage[];
  readonly libc: InputLike;
  readonly locale: InputLike;
}): Derivation {
  const all = [...new Set(packages.flatMap((one) => [one, ...one.runtime]))];
  return compose({ name: 'lsb', parts: [libc, locale, ...all.map((one) => one.out)] });
}
