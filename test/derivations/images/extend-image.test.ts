// What an image of one's own comes to, as steps; nothing is built.

import { describe, expect, it } from 'vitest';
import {
  createKernel,
  createPackageSet,
  debianSource,
  definePackage,
  autotools,
  extendImage,
  type ImageExtension,
} from '../../../derivations/index.ts';
import { closureOf } from '../../../engine/evaluate/identify.ts';
import { isDerivation, type Derivation, type Output, type Write } from '../../../engine/model/index.ts';
import { pins as shippedPins } from '../../support/package-set.ts';

// With those of a package of one's own.
const pins = { ...shippedPins, hello: shippedPins.sed! };
const target = 'x86_64-linux';
const extended = (extension: Omit<ImageExtension, 'name'>, image = 'tiny') =>
  extendImage(image, { name: 'mine', ...extension }, { pins, target });

function closure(output: Output | undefined): readonly Derivation[] {
  const derivation = isDerivation(output) ? output : (output as { derivation: Derivation }).derivation;
  return closureOf([derivation]);
}
const written = (output: Output | undefined): readonly Write[] =>
  closure(output).filter((step): step is Write => step.kind === 'write');

describe('an image of one’s own', () => {
  it('has the outputs of an image under its name', () => {
    expect(Object.keys(extended({}))).toEqual([
      'mine',
      'mine-partitions',
      'mine-direct',
      'mine-root',
      'mine-root-attributes',
    ]);
  });

  it('has its files, its services, its features and its name beside all of the other', () => {
    const { mine } = extended(
      {
        files: { 'etc/motd': 'Mine.\n', 'usr/lib/systemd/system/greet.service': '[Service]\n' },
        services: { enabled: { 'greet.service': 'multi-user.target' } },
        features: [{ name: 'more', files: { 'etc/more': 'More.\n' } }],
      },
      'pc',
    );
    const files = Object.assign({}, ...written(mine).map((step) => step.files)) as Write['files'];
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining([
        'etc/motd',
        'etc/more',
        'etc/systemd/system/multi-user.target.wants/greet.service',
        'usr/lib/systemd/system/greet.service',
      ]),
    );
    expect(JSON.stringify(files['etc/hostname'])).toContain('mine');
  });

  it('takes packages of its own, and a kernel of its own', () => {
    const hello = definePackage({
      name: 'hello',
      description: 'prints a greeting',
      licence: 'GPL-3.0-or-later',
      homepage: 'https://www.gnu.org/software/hello/',
      source: debianSource('hello'),
      build: autotools({}),
      gives: { files: ['usr/bin/hello'], runs: [] },
    });
    const packages = createPackageSet({ hello }, { pins, target });
    const kernel = createKernel({ pins, target, variant: 'rt' });
    const names = closure(extended({ packages: [packages.hello, 'bc'], kernel })['mine']).map(
      ({ name }) => name,
    );
    expect(names).toEqual(expect.arrayContaining(['hello', 'bc', 'kernel-rt']));
    expect(names).not.toContain('kernel-tiny');
  });

  it.each([
    ['an image that is not there', 'tyni', 'there is no image "tyni" for x86_64-linux', 'pc, tiny'],
    [
      'one for other machines',
      'rpi',
      'there is no image "rpi" for x86_64-linux',
      "targets: ['aarch64-linux']",
    ],
  ])('says which images there are to whoever names %s', (_, image, message, hint) => {
    expect(() => extended({}, image)).toThrow(
      expect.objectContaining({
        code: 'DERIVATION_INVALID',
        message,
        hint: expect.stringContaining(hint) as string,
      }) as Error,
    );
  });

  it('is refused a file that the other has from a feature, naming both', () => {
    expect(() => extended({ files: { 'etc/motd': 'Mine.\n' } })).toThrow(
      'file "etc/motd": features console and mine both have it',
    );
  });
});
