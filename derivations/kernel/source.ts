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
  type Pin,
} from '../../engine/model/index.ts';
import { pinOf, type PinsByName } from '../lib/pins.ts';
import { lines, type Line } from './lines.ts';
import { patches, type KernelPatch } from './patches.ts';

export interface KernelSource {
  readonly tree: Derivation;
  /** What it is from. */
  readonly pin: Pin;
}

/**
 * The sources of a line, mended; a folder that stands for them is taken as it is.
 * @throws UserError `LOCK_MISSING_PIN`
 */
export function kernelSource(pins: PinsByName, line: Line, seed: InputLike): KernelSource {
  const pin = pinOf(pins, lines[line].input);
  const original = unpackPin(pin);
  if (pin.folder !== undefined) return { tree: original, pin };
  const mended = patches.map((patch) => patchedFile(original, patch, seed));
  const parts = [original, ...mended];
  return { tree: compose({ name: 'linux', parts, conflicts: 'later-wins' }), pin };
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
