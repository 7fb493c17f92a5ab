// What scanners are told of each component of the images of this repository. Nothing is built.

import { describe, expect, it } from 'vitest';
import { createPackages } from '../../derivations/index.ts';
import { billEntry } from '../../derivations/images/bill-of-materials.ts';
import { imageSpecs } from '../../derivations/images/images.ts';
import { isSpdxExpression } from '../../derivations/images/spdx.ts';
import { pins } from '../support/package-set.ts';

const images = (['aarch64-linux', 'x86_64-linux'] as const).flatMap((target) =>
  Object.entries(imageSpecs({ pins, target, packages: createPackages({ pins, target }) })).map(
    ([name, { components }]) =>
      [`${name}@${target}`, components.map((one) => ({ component: one, entry: billEntry(one) }))] as const,
  ),
);

describe.each(images)('the bill of materials of %s', (_, all) => {
  it('has a name of its own for each component', () => {
    const references = all.map(({ entry }) => entry['bom-ref']);
    expect(new Set(references).size).toBe(references.length);
    expect(references.filter((reference) => !reference.startsWith('component:'))).toEqual([]);
  });

  it('says of everything that comes from outside what scanners know it by', () => {
    const without = all.filter(
      ({ component, entry }) => component.sources.length > 0 && entry.purl === undefined,
    );
    expect(without.map(({ component }) => component.name)).toEqual([]);
    const packages = all.flatMap(({ entry: { purl = '' } }) => (purl.startsWith('pkg:deb/') ? [purl] : []));
    expect(
      packages.filter((purl) => !/\?arch=(all|amd64|arm64)&distro=debian-13(&upstream=|$)/.test(purl)),
    ).toEqual([]);
  });

  it('comes with the texts of whatever no Debian package of its name has them for', () => {
    const without = all.filter(
      ({ component: { notices, sources, name } }) =>
        notices === undefined &&
        sources.length > 0 &&
        !sources.some((source) => 'url' in source && source.url.includes(`/${name}_`)),
    );
    expect(without.map(({ component }) => component.name)).toEqual([]);
  });

  it('has licences of our own parts as expressions of SPDX', () => {
    const wrong = all.filter(
      ({ component: { licence } }) => licence !== undefined && !isSpdxExpression(licence),
    );
    expect(wrong.map(({ component }) => `${component.name}: ${component.licence!}`)).toEqual([]);
  });
});

it('names the patches that fix something, and what', () => {
  const { entry } = images[0]![1].find(({ component }) => component.name === 'gzip')!;
  expect(entry.pedigree?.patches[0]?.resolves.map(({ id }) => id)).toContain('CVE-2026-41991');
  expect(entry.purl).toMatch(/^pkg:generic\/gzip@1\.13\?checksum=sha256:[0-9a-f]{64}$/);
});

it.each([
  [
    { name: 'libc', version: '2.41-1' },
    'glibc/libc6_2.41-1_arm64.deb',
    { name: 'glibc', version: '2.41-1' },
    'pkg:deb/debian/libc6@2.41-1?arch=arm64&distro=debian-13&upstream=glibc%402.41-1',
  ],
  [
    { name: 'zlib1g', version: '1:1.3+x-1' },
    'zlib/zlib1g_1.3+x-1_amd64.deb',
    { name: 'zlib', version: '1:1.3+x-1' },
    'pkg:deb/debian/zlib1g@1:1.3%2Bx-1?arch=amd64&distro=debian-13&upstream=zlib%401:1.3%2Bx-1',
  ],
  [
    { name: 'sed', version: '4.9-2' },
    'sed/sed_4.9-2_amd64.deb',
    { name: 'sed', version: '4.9-2' },
    'pkg:deb/debian/sed@4.9-2?arch=amd64&distro=debian-13',
  ],
] as const)(
  'a package of Debian is known by its own name and source: %o',
  (component, file, source, purl) => {
    const url = `mirror://debian/pool/main/${file}`;
    const sources = [{ url, sha256: 'a'.repeat(64), source }];
    expect(billEntry({ ...component, sources }).purl).toBe(purl);
  },
);

it.each([
  ['GPL-2.0-only WITH Linux-syscall-note', true],
  ['LGPL-2.1-or-later AND (MIT OR Apache-2.0)', true],
  ['LicenseRef-raspberry-pi', true],
  ['GPL-2.0-only MIT', false],
  ['GPL-2.0-only WITH MIT', false],
  ['Linux-syscall-note', false],
  ['BSD-3-Clause-UC', false],
  ['ntp-0', false],
  ['(MIT', false],
  ['MIT AND', false],
  ['MIT)', false],
  ['', false],
])('"%s" is an expression of SPDX: %s', (text, isOne) => {
  expect(isSpdxExpression(text)).toBe(isOne);
});
