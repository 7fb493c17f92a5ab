// Debian packages as components, and what their archives say beside the files: owners, modes, licences. No maintainer
// script runs; what it would have done is in the features.

import {
  UserError,
  compose,
  fetchPin,
  pinnedFiles,
  run,
  unpack,
  write,
  type Derivation,
  type PinnedFile,
  type PinnedFiles,
  type Target,
} from '../../engine/model/index.ts';
import { pinsOf, sourceOfEach, type PinsByName } from '../lib/pins.ts';
import type { Component } from './component.ts';
import type { SystemInput } from './inputs.ts';
import { archiveAttributesProgram, licencesProgram } from './programs/index.ts';

/** The packages of several inputs, each once. */
export interface Prebuilt {
  readonly components: readonly Component[];
  /** A tree for each input, with `attributes.json`: what the archives have that is not root's or not 0755 or 0644. */
  readonly attributes: readonly Derivation[];
  /** A tree with `licences.json`: the licences that each package's copyright file names; and with these files, as `texts/NAME`. */
  readonly licences: Derivation;
  /** The changelog of each package, at its path there. */
  readonly changelogs: Derivation;
  /** A package with all its files, nothing left out. */
  readonly whole: (name: string) => Derivation;
}

/** @throws UserError `LOCK_INVALID` when two inputs have a package in different versions. */
export function prebuilt({
  name,
  inputs,
  pins,
  target,
  seed,
  leftOut,
}: {
  readonly name: string;
  readonly inputs: readonly SystemInput[];
  readonly pins: PinsByName;
  readonly target: Target;
  readonly seed: Derivation;
  readonly leftOut: readonly string[];
}): Prebuilt {
  const byInput = inputs.map((input) => ({ input, own: pinnedFiles(pinsOf(pins, `${input}-${target}`)) }));
  const packages = unique(
    name,
    byInput.flatMap(({ own }) => own),
  );
  return {
    components: packages.map((pin) => ({
      name: pin.name,
      version: pin.version,
      sources: sourceOfEach([pin]),
      tree: compose({ name: pin.name, parts: [{ input: files(pin), exclude: leftOut }] }),
    })),
    attributes: byInput.map(({ input, own }) => archiveAttributes(`${input}-attributes`, own, target, seed)),
    licences: licences(`${name}-licences`, packages, seed),
    changelogs: compose({
      name: `${name}-changelogs`,
      parts: packages.map((pin) => ({ input: files(pin), include: ['usr/share/doc/*/changelog*.gz'] })),
    }),
    whole: (wanted) => files(packages.find((pin) => pin.name === wanted) ?? missing(name, wanted)),
  };
}

function archiveAttributes(name: string, pins: PinnedFiles, target: Target, seed: Derivation): Derivation {
  const archives = pins.map((pin) => ({ input: fetchPin(pin), at: `${pin.name}.deb` }));
  return run({
    name,
    target,
    layers: [seed],
    inputs: {
      '/archives': compose({ name: `${name}-archives`, parts: archives }),
      '/program': write({ name: 'archive-attributes', files: { 'program.py': archiveAttributesProgram } }),
    },
    argv: ['/usr/bin/python3', '/program/program.py'],
  });
}

function licences(name: string, pins: PinnedFiles, seed: Derivation): Derivation {
  const parts = pins.map((pin) => ({
    input: files(pin),
    include: ['usr/share/doc/*', 'usr/share/doc/*/copyright'],
  }));
  return run({
    name,
    layers: [seed],
    inputs: {
      '/packages': compose({ name: `${name}-texts`, parts }),
      '/program': write({ name: 'licences', files: { 'program.py': licencesProgram } }),
    },
    argv: ['/usr/bin/python3', '/program/program.py', ...pins.map((pin) => pin.name)],
  });
}

function files(pin: PinnedFile): Derivation {
  return unpack({ name: `${pin.name}-files`, archive: fetchPin(pin), strip: 0 });
}

function missing(system: string, name: string): never {
  throw new UserError(
    'DERIVATION_INVALID',
    `${system}: a feature makes something of ${name}, which is not among its packages`,
    {
      hint: 'Add the feature that brings it.',
    },
  );
}

function unique(system: string, pins: PinnedFiles): PinnedFiles {
  const byName = new Map<string, PinnedFile>();
  for (const pin of pins) {
    const other = byName.get(pin.name);
    if (other !== undefined && other.sha256 !== pin.sha256) {
      throw new UserError(
        'LOCK_INVALID',
        `${system}: two inputs have ${pin.name} in different versions, ${other.version} and ${pin.version}`,
        { hint: 'Run `cairn lock` for all inputs of the system at once.' },
      );
    }
    byName.set(pin.name, pin);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
