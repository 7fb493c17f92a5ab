// The kernel's sources: the pinned archive, with what is mended in it. Files are mended one by one, so that the 86,000
// others are neither read nor written for it.

import {
  compose,
  from,
  run,
  unpackPin,
  write,
  type Derivation,
  type InputLike,
} from '../../engine/model/index.ts';
import { pinOf, type PinsByName } from '../lib/pins.ts';
import { patches, type KernelPatch } from './patches.ts';

/** The sources' tree and upstream's version. */
export function kernelSource(pins: PinsByName, seed: InputLike): { tree: Derivation; version: string } {
  const pin = pinOf(pins, 'linux');
  const original = unpackPin(pin);
  const mended = patches.map((patch) => patchedFile(original, patch, seed));
  const parts = [original, ...mended];
  return { tree: compose({ name: 'linux', parts, conflicts: 'later-wins' }), version: pin.version };
}

function patchedFile(source: Derivation, { name, file, text }: KernelPatch, seed: InputLike): Derivation {
  return run({
    name: `linux-${name}`,
    layers: [seed],
    inputs: {
      '/original': from(source, { subpath: file }),
      '/patch': write({ name: `linux-${name}-patch`, files: { patch: text } }),
    },
    argv: [
      '/bin/sh',
      '-euc',
      `install -D -m 644 /original "$out/${file}"; patch -d "$out" -p1 </patch/patch`,
    ],
  });
}
