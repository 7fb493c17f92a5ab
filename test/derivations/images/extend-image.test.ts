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

  it.each<[string, object, string, string]>([
    ['a misspelt field', { file: {} }, 'extendImage has an unknown field "file"', 'Did you mean files? '],
    [
      'a package that cairn does not have',
      { packages: ['bcc'] },
      'mine-root: feature mine: cairn has no package "bcc"',
      'Did you mean bc',
    ],
    [
      'prebuilt packages that cairn does not have',
      { prebuilt: ['dokcer'] },
      'mine-root: feature mine: there are no prebuilt packages called "dokcer"',
      'Did you mean docker? There is system, ',
    ],
    [
      'a misspelt field of services',
      { services: { enable: {} } },
      'mine-root: feature mine: services has an unknown field "enable"',
      'Did you mean enabled? ',
    ],
    [
      'services as a list',
      { services: { enabled: ['greet.service'] } },
      'mine-root: feature mine: services.enabled is not an object',
      "Write services: { enabled: { 'greet.service': 'multi-user.target' } }",
    ],
    [
      'a service without its ending',
      { services: { enabled: { greet: 'multi-user.target' } } },
      'mine-root: feature mine: services.enabled: "greet" is not the name of a unit',
      "Write services: { enabled: { 'greet.service': 'multi-user.target' } }",
    ],
    [
      'a mode as a number',
      { files: { 'usr/bin/greet': { text: '', mode: 755 } } },
      'mine-root: feature mine: files["usr/bin/greet"]: its mode must be octal digits in quotes',
      "Write mode: '0755', for example.",
    ],
    [
      'an owner that no feature has',
      { files: { 'etc/greeting': { text: '', owner: 'me' } } },
      'mine-root: there is no owner "me" of etc/greeting',
      'There are root, ',
    ],
    [
      'a user without an id',
      { users: [{ name: 'me', home: '/home/me' }] },
      'mine-root: feature mine: a user has no "id"',
      'Its fields are name, id, ',
    ],
    [
      'a file that stands for all accounts',
      { files: { 'etc/passwd': 'me:x:1000:1000::/home/me:/bin/sh\n' } },
      'mine-root: etc/passwd is made of what features say',
      'Take it out of files: users, groups, ',
    ],
  ])('is not silently without what was asked for: %s', (_, extension, message, hint) => {
    expect(() => extended(extension)).toThrow(
      expect.objectContaining({
        code: 'DERIVATION_INVALID',
        message,
        hint: expect.stringContaining(hint) as string,
      }) as Error,
    );
  });

  it('needs the pins and the target that outputs are given', () => {
    const without = extendImage as unknown as (image: string, extension: object) => unknown;
    expect(() => without('tiny', { name: 'mine' })).toThrow('what mine is made with is not an object');
  });

  it('is refused a file that the other has from a feature, naming both', () => {
    expect(() => extended({ files: { 'etc/motd': 'Mine.\n' } })).toThrow(
      'file "etc/motd": features console and mine both have it',
    );
  });
});
