// Debian's own builds of the libraries that we build: what prebuilt programs will expect of ours. Only compared with.

import { compose, composePackages, type Derivation, type Target } from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';

/** The shared libraries alone. */
export function debianLibraries(pins: PinsByName, target: Target): Derivation {
  const input = composePackages(`debian-packages-${target}`, pinsOf(pins, `debian-${target}`));
  return compose({ name: `debian-libraries-${target}`, parts: [{ input, include: ['usr/lib/*/*.so.*'] }] });
}
