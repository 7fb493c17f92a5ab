// A cache of what compilers gave, for steps that ask for one: ccache and what it loads, from the same archive as the seed. It is
// no layer of any step, and a newer one rebuilds nothing.

import {
  compose,
  composePackages,
  type CompileCacheSpec,
  type Derivation,
} from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';

/** The tree that a `compileCache` has as its `tool`. */
export function compileCacheTool(pins: PinsByName): Derivation {
  const input = composePackages('compile-cache-packages', pinsOf(pins, 'compile-cache'));
  const include = ['usr/bin/ccache', 'usr/lib64/*', 'usr/lib/x86_64-linux-gnu/*.so*'];
  return compose({ name: 'compile-cache', parts: [{ input, include }] });
}

/**
 * A compile cache for a `run`. Compilers are named as in /usr/bin.
 * @example run({ …, compileCache: compileCache(pins, { compilers: ['gcc'], sources: ['/source'] }) })
 */
export function compileCache(
  pins: PinsByName,
  { compilers, sources }: { readonly compilers: readonly string[]; readonly sources: readonly string[] },
): CompileCacheSpec {
  return {
    tool: compileCacheTool(pins),
    compilers: compilers.map((name) => `/usr/bin/${name}`),
    sources,
  };
}
