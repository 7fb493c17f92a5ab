// From pins to derivations: the few steps every use of a pin goes through. Pure.

import { UserError, bug } from '../../store/base/errors.ts';
import { invalid, shown } from './check.ts';
import {
  compose,
  fetchUrl,
  unpack,
  type Compose,
  type Fetch,
  type Local,
  type Unpack,
} from './derivation.ts';
import type { FolderPin, Pin, PinnedFiles, Pins } from './flake.ts';
import { made, orBroken } from './made.ts';

/** The pinned file itself. @throws UserError `INPUT_IS_FOLDER`. */
export function fetchPin(pin: Pin): Fetch {
  return orBroken(() => {
    checkPin('fetchPin', pin);
    if (pin.folder !== undefined) throw folderInstead(pin, 'one file of it');
    const name = pin.urls[0]?.split('/').at(-1) ?? bug(`pin ${pin.name} has no URL`);
    return fetchUrl({
      name: nameOf(name),
      urls: pin.urls,
      sha256: pin.sha256,
      sizeBytes: pin.sizeBytes,
    });
  });
}

/**
 * The pinned archive's content, without its top folder where that is the only thing at the top; see `unpack`. A folder that
 * stands for it is taken as it is: `strip` is about archives.
 */
export function unpackPin(pin: Pin, strip?: number): Unpack | Local {
  return orBroken(() => {
    checkPin('unpackPin', pin);
    const name = `${pin.name}-source`;
    if (pin.folder !== undefined) return folderOf(pin, name);
    return unpack({ name, archive: fetchPin(pin), ...(strip !== undefined && { strip }) });
  });
}

/**
 * Debian packages unpacked over each other into one tree, as dpkg would, but without running a maintainer script. A folder
 * can stand for a package that is the only one.
 * @throws UserError `INPUT_IS_FOLDER`.
 */
export function composePackages(name: string, pins: Pins): Compose {
  return orBroken(() => {
    checkNamed(name, pins);
    const parts = pins.map((pin) => {
      if (pin.folder === undefined)
        return unpack({ name: `${pin.name}-files`, archive: fetchPin(pin), strip: 0 });
      if (pins.length > 1) throw folderInstead(pin, 'one of several packages');
      return folderOf(pin, `${pin.name}-files`);
    });
    return compose({ name, parts });
  }, name);
}

/**
 * The pins as what they are where only downloads will do. @throws UserError `INPUT_IS_FOLDER`.
 * @example pinnedFiles(pins.firmware).map(({ urls, sha256 }) => ({ urls, sha256 }))
 */
export function pinnedFiles(pins: Pins): PinnedFiles {
  return pins.map((pin) => {
    if (pin.folder !== undefined) throw folderInstead(pin, 'what was downloaded');
    return pin;
  });
}

// Of two that are handed over the other way round, or one alone.
function checkNamed(name: unknown, pins: unknown): void {
  if (typeof name === 'string' && Array.isArray(pins)) return;
  invalid(
    `composePackages takes a name and the pins of an input, not ${shown(name)} and ${shown(pins)}`,
    "Write composePackages('root', pins.root), for example.",
  );
}

// A config that no type checker saw may hand over all pins of an input, or one that is not there.
function checkPin(maker: string, pin: Pin): void {
  // To ask for the length of pins that are not locked says so.
  if (Array.isArray(pin) && typeof pin.length === 'number')
    invalid(
      `${maker} takes one pin, not the list of them that an input has`,
      `Write ${maker}(pins.NAME[0]): an input that is one download has one pin.`,
    );
  if (typeof pin !== 'object' || (pin as unknown) === null)
    invalid(
      `${maker} takes a pin, not ${shown(pin)}`,
      `Write ${maker}(pins.NAME[0]), NAME being one of the flake's inputs: one that is one download has one pin.`,
    );
}

function folderOf({ name: standsFor, folder, exclude }: FolderPin, name: string): Local {
  return made(unpackPin, { name: nameOf(name) }, (spec) => ({
    kind: 'local',
    name: spec.name,
    path: folder,
    exclude: [...exclude],
    standsFor,
  }));
}

function nameOf(text: string): string {
  return text.replace(/[^a-zA-Z0-9+._-]/g, '-');
}

function folderInstead({ name, folder }: FolderPin, wanted: string): UserError {
  return new UserError(
    'INPUT_IS_FOLDER',
    `input "${name}" is the folder ${folder}, and the config asks for ${wanted}`,
    {
      hint: 'A folder can stand for what is unpacked whole. Leave out the override, or declare the input as a download.',
    },
  );
}
