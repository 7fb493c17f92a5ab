// The sandbox's own programs, from the same archive as the seed: bubblewrap and what it loads, and mkfifo for make's
// jobserver. It runs steps and is never an input of one, so a newer bubblewrap rebuilds nothing.

import { compose, composePackages, type Derivation } from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';

/** The tree that a flake gives as `sandbox`. */
export function sandboxTool(pins: PinsByName): Derivation {
  const input = composePackages('sandbox-packages', pinsOf(pins, 'sandbox'));
  const include = ['usr/bin/{bwrap,mkfifo}', 'usr/lib64/*', 'usr/lib/x86_64-linux-gnu/*.so*'];
  return compose({ name: 'sandbox', parts: [{ input, include }] });
}
