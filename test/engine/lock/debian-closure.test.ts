// What a list of Debian packages brings with it.

import { expect, test } from 'vitest';
import { pinPackages } from '../../../engine/lock/debian-closure.ts';
import { PackageSet, packageFields } from '../../../engine/lock/debian-packages.ts';
import type { DebianPackages } from '../../../engine/model/flake.ts';
import { parseDeb822 } from '../../../engine/sources/deb822.ts';

/** Names of the closure of `roots` in an index given in short: `name version? | Field: value | …` a line. */
function closure(index: string, roots: string, without?: string): string {
  return pins(index, roots, without)
    .map(({ name }) => name)
    .join(' ');
}

function pins(index: string, roots: string, without?: string): ReturnType<typeof pinPackages> {
  const declaration: DebianPackages = {
    kind: 'debian-packages',
    suite: 'trixie',
    architecture: 'amd64',
    packages: roots.split(' '),
    ...(without !== undefined && { without: without.split(' ') }),
  };
  const stanzas = [...parseDeb822(index.trim().split('\n').map(stanza).join('\n'), packageFields)];
  return pinPackages(declaration, new PackageSet([{ mirror: 'debian', stanzas }]));
}

function stanza(line: string): string {
  const [head = '', ...fields] = line.split(';').map((part) => part.trim());
  const [name = '', version = '1'] = head.split(' ');
  const file = [`Filename: pool/${name}_${version}.deb`, 'Size: 7', `SHA256: ${'a'.repeat(64)}`];
  return [`Package: ${name}`, `Version: ${version}`, ...fields, ...file, ''].join('\n');
}

test('dependencies and pre-dependencies are followed to the end, and pins are sorted by name', () => {
  const index = `
    top; Depends: middle (>= 1), libc6; Pre-Depends: early
    middle; Depends: zlib1g,libc6 (>= 0.5)
    zlib1g
    libc6
    early
    unrelated
  `;
  expect(closure(index, 'top')).toBe('early libc6 middle top zlib1g');
  expect(pins(index, 'zlib1g')).toEqual([
    {
      name: 'zlib1g',
      version: '1',
      urls: ['mirror://debian/pool/zlib1g_1.deb'],
      sha256: 'a'.repeat(64),
      sizeBytes: 7,
      source: { name: 'zlib1g', version: '1' },
    },
  ]);
});

test('packages that depend on each other are each there once', () => {
  expect(closure('a; Depends: b\nb; Depends: a', 'a')).toBe('a b');
});

test('the first alternative that there is is taken', () => {
  expect(closure('a; Depends: not-there | b | c\nb\nc', 'a')).toBe('a b');
});

test('an alternative that was asked for satisfies, wherever it stands', () => {
  expect(closure('a; Depends: b | c\nb\nc', 'a c')).toBe('a c');
});

test('an alternative that is too old is passed over', () => {
  expect(closure('a; Depends: b (>= 2) | c\nb 1.9\nc', 'a')).toBe('a c');
});

test('architecture qualifiers are understood', () => {
  expect(closure('a; Depends: python3:any (>= 3.1), perl:native\npython3 3.13\nperl', 'a')).toBe(
    'a perl python3',
  );
});

test('a virtual package is satisfied by the most important of its providers, then by name', () => {
  const index = `
    a; Depends: awk
    original-awk; Provides: awk; Priority: optional
    gawk; Provides: awk; Priority: optional
    mawk; Provides: awk; Priority: required
  `;
  expect(closure(index, 'a')).toBe('a mawk');
  expect(closure(index.replace('required', 'optional'), 'a')).toBe('a gawk');
  expect(closure(index, 'a original-awk')).toBe('a original-awk');
});

test('a bound on a virtual package needs a provider that states its version', () => {
  const index = `
    a; Depends: api (>= 2)
    loose; Provides: api
    old; Provides: api (= 1)
    right; Provides: other, api (= 2.1)
  `;
  expect(closure(index, 'a')).toBe('a right');
});

test('what is left out counts as being there, with all that it would bring', () => {
  const index = `
    a; Depends: b, awk, debconf (>= 0.5) | debconf-2.0
    b; Depends: c
    c
    mawk; Provides: awk
    debconf 1.5; Depends: perl
    cdebconf; Provides: debconf-2.0
    perl
  `;
  expect(closure(index, 'a', 'b debconf')).toBe('a mawk');
  expect(closure(index, 'a', 'c debconf mawk')).toBe('a b');
});

test('of two versions the newer one counts', () => {
  expect(pins('a 1.9\na 1.10\na 1.2', 'a').map(({ version }) => version)).toEqual(['1.10']);
});

test('the order of the index does not matter', () => {
  const lines = ['a; Depends: x | y, virtual', 'x', 'y', 'p1; Provides: virtual', 'p2; Provides: virtual'];
  expect(closure(lines.join('\n'), 'a')).toBe(closure([...lines].reverse().join('\n'), 'a'));
});

test('a package that is not there is an error with names like it', () => {
  expect(() => pins('gcc-14\nmake\nc-compiler-x; Provides: gcc', 'gcc')).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: 'Debian trixie has no package "gcc" for amd64',
      hint: 'Did you mean c-compiler-x, gcc-14?',
    }) as Error,
  );
});

test('a dependency that nothing satisfies is an error that names both sides', () => {
  expect(() => pins('a; Depends: firmware (>= 2) | other', 'a')).toThrow(
    'a depends on firmware (>= 2) | other, which Debian trixie does not have in main',
  );
});

test.each([
  ['>> 1', false],
  ['> 1', true],
  ['< 1', true],
  ['<< 1', false],
  ['1', true],
  ['= 2', false],
])('a bound in an old form is one: (%s)', (bound, holds) => {
  const index = `a; Depends: b (${bound})\nb 1`;
  if (holds) expect(closure(index, 'a')).toBe('a b');
  else expect(() => closure(index, 'a')).toThrow(`a depends on b (${bound})`);
});

test.each(['b (>>> 1)', 'b (>= )', 'b (>= 1', 'b >= 1', 'b (1 2)'])(
  'a dependency that is not understood is quoted whole, and nothing satisfies it: %s',
  (dependency) => {
    expect(() => closure(`a; Depends: ${dependency}\nb 1`, 'a')).toThrow(`a depends on ${dependency}, which`);
  },
);

test('a package of another architecture is none of these', () => {
  const index = (dependency: string): string =>
    `a; Depends: ${dependency}\nb 1; Architecture: amd64\nc; Provides: b; Architecture: amd64`;
  for (const own of ['b', 'b:any', 'b:native', 'b:amd64', 'b:amd64 (>= 1)'])
    expect(closure(index(own), 'a')).toBe('a b');
  expect(() => closure(index('b:i386'), 'a')).toThrow('a depends on b:i386, which');
  expect(closure(index('b:i386 | c'), 'a')).toBe('a c');
});

test('an entry whose version is none is as not there, and whoever wants it is told', () => {
  expect(pins('a 1-\na 0.5\nb', 'a').map(({ version }) => version)).toEqual(['0.5']);
  expect(() => closure('a x:1\nb', 'a')).toThrow('has "a" in no version: x:1: its epoch is no number');
  expect(closure('a x:1\nb', 'b')).toBe('b');
});
