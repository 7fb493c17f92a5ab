// Where the parts of each image come from, as derivations/README.md tells it.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { imagesFor } from '../../derivations/images/images.ts';
import { cards } from '../../derivations/packages/index.ts';
import { createRootFileSystem, systems } from '../../derivations/system/index.ts';
import { targets } from '../../engine/model/index.ts';
import { pins } from '../support/package-set.ts';

const section = /## Where everything comes from\n([^]*?)\n## /.exec(
  readFileSync('derivations/README.md', 'utf8'),
)![1]!;
const images = targets.flatMap((target) => imagesFor[target].map((image) => [image, target] as const));
const componentsOf = (image: (typeof images)[number][0], target: (typeof images)[number][1]) =>
  createRootFileSystem(systems(target)[image], { pins, target }).components;
const isOurs = (name: string): boolean => Object.hasOwn(cards, name);

describe('the list of origins', () => {
  it.each(images)('has the parts of %s for %s', (image, target) => {
    const components = componentsOf(image, target);
    const ours = components.filter(({ name }) => isOurs(name)).map(({ name }) => name);
    // The C library is Debian's as well; the list has it for all images at once.
    const debian = components.filter(
      ({ name, sources }) => !isOurs(name) && name !== 'libc' && sources.length > 0,
    );
    for (const { sources } of debian)
      for (const source of sources) expect('url' in source && source.url).toMatch(/\.deb$/);
    expect(section.split('\n')).toContain(`| \`${image}\` | ${ours.sort().join(', ')} | ${debian.length} |`);
  });

  it('has no image more, and names the packages that are in none', () => {
    const rows = section.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows).toHaveLength(new Set(images.map(([image]) => image)).size);
    const used = new Set(
      images.flatMap(([image, target]) => componentsOf(image, target).map(({ name }) => name)),
    );
    const unused = Object.keys(cards).filter((name) => !used.has(name));
    expect(section).toContain(`In no image, but in \`lsb\`: ${unused.sort().join(', ')}.`);
  });

  it('says of which sources Debian has repacked the archive', () => {
    const repacked = Object.keys(cards).filter((name) =>
      pins[name]?.some(({ urls }) => urls.some((url) => /[+.](dfsg|ds)/.test(url))),
    );
    expect(section.replaceAll('\n', ' ')).toContain(
      `Debian repacked those of ${repacked.sort().join(' and ')},`,
    );
  });
});
