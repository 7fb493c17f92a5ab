// The series of patches that Debian has for a package, as pinned, beside what its card takes and leaves.

import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { cards, type Package } from '../../derivations/index.ts';
import { debianInput, describedPatch } from '../../derivations/lib/package.ts';
import { upstreamVersion } from '../../engine/lock/debian-version.ts';
import { cachedPackage, type PackagePin } from '../support/debian-files.ts';
import { pins } from '../support/package-set.ts';

const all: readonly Package[] = Object.values(cards);
const reviewed = all.flatMap((card) => (card.leaves === undefined ? [] : [[card.name, card] as const]));

/** Texts of the patches in a series, by name. */
async function seriesOf(card: Package): Promise<ReadonlyMap<string, string>> {
  const archive = await cachedPackage(pins[debianInput(card)]![0] as PackagePin);
  const textOf = (path: string): string =>
    execFileSync('tar', ['-xOf', archive, `debian/patches/${path}`], {
      encoding: 'latin1',
      maxBuffer: 2 ** 26,
    });
  const names = textOf('series')
    .split('\n')
    .map(
      (line) =>
        line
          .replace(/(^|\s)#.*/, '')
          .trim()
          .split(/\s+/)[0]!,
    )
    .filter((name) => name !== '');
  return new Map(names.map((name) => [name, textOf(name)]));
}

const cvesIn = (text: string): readonly string[] => [...new Set(text.match(/\bCVE-\d{4}-\d{4,}\b/g))].sort();
/** What it changes, without where. */
const changesIn = (diff: string): readonly string[] =>
  diff.split('\n').filter((line) => /^[-+](?!--|\+\+)/.test(line));

describe.each(reviewed)('of what Debian changes in %s', (name, card) => {
  const described = (card.patches ?? []).map(describedPatch);
  const taken = described.flatMap(({ debian }) => debian ?? []);
  const left = Object.keys(card.leaves ?? {});

  it('each patch is taken, or left with a reason', async () => {
    const series = await seriesOf(card);
    expect([...taken, ...left].sort()).toEqual([...series.keys()].sort());
    expect(Object.values(card.leaves ?? {}).filter((reason) => reason.trim() === '')).toEqual([]);
  });

  it('each that names a CVE is taken, and said to fix it, or left with a reason that names it', async () => {
    for (const [patch, text] of await seriesOf(card)) {
      const cves = cvesIn(`${patch}\n${text}`);
      const fixes = described.find(({ debian }) => debian === patch)?.fixes ?? [];
      const reason = card.leaves?.[patch] ?? '';
      expect(cves.filter((cve) => !fixes.includes(cve) && !reason.includes(cve))).toEqual([]);
    }
  });

  it('what is taken as a text of our own changes nothing that Debian does not', async () => {
    const series = await seriesOf(card);
    for (const { diff, debian } of described) {
      if (typeof diff !== 'string' || debian === undefined) continue;
      const theirs = new Set(changesIn(series.get(debian)!));
      expect(changesIn(diff).filter((line) => !theirs.has(line))).toEqual([]);
    }
  });

  it('the series is of the release that is built', () => {
    const [part] = pins[debianInput(card)]!;
    expect(upstreamVersion(part!.version)).toBe(pins[name]![0]!.version);
  });
});

// A mirror that lists what it does not serve keeps these from being gone through. None of them may say that it was.
it('the others are those whose series is not to be had, or that have none', () => {
  const others = all.filter(({ leaves }) => leaves === undefined).map(({ name }) => name);
  expect(others.sort()).toEqual(
    'bc diffutils findutils gdbm grep libpipeline libxcrypt m4 man-db psmisc readline zlib'.split(' '),
  );
  for (const name of others) expect(pins[`${name}-debian`]).toBeUndefined();
});
