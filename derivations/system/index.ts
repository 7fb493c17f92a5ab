// The room's face: systems as roots, and the flake outputs of this repository's own.

import type { Output, Target } from '../../engine/model/index.ts';
import type { PackageSet } from '../lib/package-set.ts';
import type { PinsByName } from '../lib/pins.ts';
import type { cards } from '../packages/index.ts';
import { createRootFileSystem } from './root-file-system.ts';
import { systems } from './systems.ts';

export type { Component } from './component.ts';
export type { Attributes, Feature, Group, MakeContext, Services, SystemFile, User } from './feature.ts';
export { createRootFileSystem, type RootFileSystem, type RootOptions } from './root-file-system.ts';
export type { Mount, SystemDescription } from './description.ts';
export { systems } from './systems.ts';

/** For each system its root, and who owns what in it: `rpi-root` and `rpi-root-attributes`. */
export function rootOutputs(options: {
  readonly pins: PinsByName;
  readonly target: Target;
  readonly packages: PackageSet<typeof cards>;
}): Readonly<Record<string, Output>> {
  const outputs = Object.entries(systems(options.target)).map(([image, description]): [string, Output][] => {
    const { tree, attributes } = createRootFileSystem(description, options);
    return [
      [description.name, { derivation: tree, description: `the root file system of the image ${image}` }],
      [
        `${description.name}-attributes`,
        { derivation: attributes, description: `owners and modes in ${image}-root` },
      ],
    ];
  });
  return Object.fromEntries(outputs.flat());
}
