import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cards, inputs, type Package } from '../../derivations/index.ts';
import type { DebianPackages, DebianSource } from '../../engine/model/index.ts';
import { pins } from '../support/package-set.ts';

const all: readonly (readonly [string, Package])[] = Object.entries(cards);

describe('the cards', () => {
  it('are one file each, named like the package', () => {
    const files = readdirSync('derivations/packages').filter((name) => name !== 'index.ts');
    expect(files).toEqual(all.map(([name]) => `${name}.ts`).sort());
  });

  it('hold the packages that make an LSB userland', () => {
    const wanted =
      'bash bc binutils coreutils diffutils file findutils gawk grep gzip m4 man-db ncurses procps psmisc sed shadow tar util-linux zlib';
    expect(Object.keys(cards)).toEqual(expect.arrayContaining(wanted.split(' ')));
  });

  it.each(all)('%s says what it is in the form that every card has', (name, card) => {
    expect(card.name).toBe(name);
    expect(card.description).toMatch(/^[a-z].*[^.]$/);
    expect(card.homepage).toMatch(/^https:\/\/[^\s]+$/);
    expect(card.licence).toMatch(/^[A-Za-z0-9.-]+(?:-or-later|-only)?(?: (?:AND|OR|WITH) [A-Za-z0-9.-]+)*$/);
  });

  it.each(all)('%s has one pinned source from an original archive', (name) => {
    expect(inputs[name as keyof typeof inputs]).toMatchObject({ kind: 'debian-source' });
    const [pin, ...others] = pins[name]!;
    expect(others).toEqual([]);
    expect(pin!.urls[0]).toMatch(
      /^mirror:\/\/(debian\/pool|debian-security\/pool\/updates)\/main\/.*\.orig\.tar\.(gz|xz|bz2)$/,
    );
  });

  it.each(all)('%s names files of a target root, not of this machine', (_, card) => {
    const paths = [...card.gives.files, ...(card.gives.setuid ?? [])];
    expect(paths.filter((path) => !/^(usr|etc|var)\/[^\s]+$/.test(path))).toEqual([]);
    expect(card.gives.runs.filter(([program]) => !program?.startsWith('/'))).toEqual([]);
  });

  it.each(all)('%s runs something, or gives a library', (_, card) => {
    expect(card.gives.runs.length + (card.gives.libraries ?? []).length).toBeGreaterThan(0);
  });
});

describe('inputs from Debian', () => {
  const declared = Object.entries(inputs) as [string, DebianSource | DebianPackages][];

  it('all have security updates, and what changes between point releases', () => {
    const stable = declared.filter(([, { suite }]) => suite === 'trixie');
    const without = stable.filter(
      ([, { furtherSuites = [] }]) => furtherSuites.join(' ') !== 'trixie-security trixie-updates',
    );
    expect(without.map(([name]) => name)).toEqual([]);
    const others = declared.filter(([, { suite }]) => suite !== 'trixie');
    expect(others.map(([name]) => name)).toEqual(['linux-new']);
  });
});

describe('the lock', () => {
  it('names no host, so that a mirror can be chosen', () => {
    const urls = Object.values(pins).flatMap((list) => list.flatMap((pin) => pin.urls));
    expect(urls.filter((url) => !url.startsWith('mirror://'))).toEqual([]);
    expect(existsSync('flake-like.lock')).toBe(true);
  });
});
