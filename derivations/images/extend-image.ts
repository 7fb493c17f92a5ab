// An image of one's own: another one, with more in it.

import { UserError, type Output, type Target } from '../../engine/model/index.ts';
import { didYouMean } from '../../engine/model/closest-names.ts';
import { checkFields, type Fields } from '../lib/check-fields.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { createPackageSet } from '../lib/package-set.ts';
import { cards } from '../packages/index.ts';
import { featureFields } from '../system/check-feature.ts';
import type { Feature } from '../system/feature.ts';
import { imageTools } from './disk-tools.ts';
import { imagesFor, usual, type ImageName, type ImageOptions } from './images.ts';
import { described, outputsOf, type Individual } from './individual.ts';

/** What an image of one's own has beside what another one has. All that a feature may have is given to it by a feature of its name. */
export interface ImageExtension extends Omit<Feature, 'name'> {
  /** Also of its files: `mine.img`. */
  readonly name: string;
  readonly description?: string;
  /** That of its name when not given. */
  readonly hostname?: string;
  /** Further features. */
  readonly features?: readonly Feature[];
  /** In place of the image's. */
  readonly kernel?: Kernel;
  /** What it may take on all partitions together; without one, it may be of any size. */
  readonly budgetBytes?: number;
}

/**
 * The outputs of an image of one's own: another one with further features, packages, files and services.
 * @throws UserError `DERIVATION_INVALID` when there is no such image for the target, or two features want the same name or path.
 * @example extendImage('rpi', { name: 'mine', files: { 'etc/mine': 'Mine.\n' } }, { pins, target })
 */
export function extendImage(
  image: string,
  extension: ImageExtension,
  options: ExtendOptions,
): Readonly<Record<string, Output>> {
  checkFields('extendImage', extension, extensionFields);
  checkFields(`extendImage: what ${extension.name} is made with`, options, optionFields);
  const { pins, target, packages = createPackageSet(cards, { pins, target }) } = options;
  const base = usual(checkedName(image, target), options);
  const { name, description, hostname, features = [], kernel, budgetBytes, ...own } = extension;
  const individual: Individual = {
    ...base,
    name,
    description: description ?? `${base.description}, extended`,
    kernel: kernel ?? base.kernel,
    budgetBytes,
    system: {
      ...base.system,
      name: `${name}-root`,
      hostname: hostname ?? name,
      features: [...base.system.features, ...features, { ...own, name }],
    },
  };
  return outputsOf(described(individual, { pins, target, packages }), imageTools(pins));
}

const extensionFields: Fields<ImageExtension> = {
  ...featureFields,
  description: 'optional',
  hostname: 'optional',
  features: 'optional',
  kernel: 'optional',
  budgetBytes: 'optional',
};

export interface ExtendOptions extends Omit<ImageOptions, 'packages'> {
  /** Our own packages, when some of them are not as their cards say. */
  readonly packages?: ImageOptions['packages'];
}

const optionFields: Fields<ExtendOptions> = { pins: 'needed', target: 'needed', packages: 'optional' };

function checkedName(name: string, target: Target): ImageName {
  const names: readonly string[] = imagesFor[target];
  if (names.includes(name)) return name as ImageName;
  throw new UserError('DERIVATION_INVALID', `there is no image "${name}" for ${target}`, {
    hint: `${didYouMean(name, names)}There is ${names.join(', ')}.${elsewhere(name)}`,
  });
}

function elsewhere(name: string): string {
  const targets = Object.entries<readonly string[]>(imagesFor).filter(([, names]) => names.includes(name));
  return targets
    .map(([target]) => ` ${name} is for machines that the flake names with targets: ['${target}'].`)
    .join('');
}
