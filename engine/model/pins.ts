// From pins to derivations: the few steps every use of a pin goes through. Pure.

import { bug } from '../../store/base/errors.ts';
import { compose, fetchUrl, unpack, type Compose, type Fetch, type Unpack } from './derivation.ts';
import type { Pin, Pins } from './flake.ts';

/** The pinned file itself. */
export function fetchPin(pin: Pin): Fetch {
  const name = pin.urls[0]?.split('/').at(-1) ?? bug(`pin ${pin.name} has no URL`);
  return fetchUrl({
    name: name.replace(/[^a-zA-Z0-9+._-]/g, '-'),
    urls: pin.urls,
    sha256: pin.sha256,
    sizeBytes: pin.sizeBytes,
  });
}

/** The pinned archive's content, without its top folder where that is the only thing at the top; see `unpack`. */
export function unpackPin(pin: Pin, strip?: number): Unpack {
  return unpack({
    name: `${pin.name}-source`,
    archive: fetchPin(pin),
    ...(strip !== undefined && { strip }),
  });
}

/** Debian packages unpacked over each other into one tree, as dpkg would, but without running a maintainer script. */
export function composePackages(name: string, pins: Pins): Compose {
  const parts = pins.map((pin) => unpack({ name: `${pin.name}-files`, archive: fetchPin(pin), strip: 0 }));
  return compose({ name, parts });
}
