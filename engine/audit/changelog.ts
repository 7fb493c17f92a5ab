// A Debian changelog (deb-changelog(5)), and which CVEs it names as fixed since a version. Pure.

import { compareVersions } from '../lock/debian-version.ts';

/** What was changed with one version. */
export interface ChangelogEntry {
  readonly version: string;
  readonly text: string;
}

// name (version) suites; urgency=…
const heading = /^[a-z0-9][a-z0-9+.-]* \(([^\s()]+)\)(?: [^\s;]+)*;/i;

/** Its entries in the order of the text. Empty when it is no changelog. */
export function parseChangelog(text: string): readonly ChangelogEntry[] {
  const entries: { version: string; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const version = heading.exec(line)?.[1];
    if (version !== undefined) entries.push({ version, lines: [] });
    else entries.at(-1)?.lines.push(line);
  }
  return entries.map(({ version, lines }) => ({ version, text: lines.join('\n') }));
}

/**
 * The CVE ids that entries of later versions name, each once, by year and number. An upstream version without a revision
 * is before all of Debian's revisions of it, and one without an epoch is as if it had that of the entry.
 */
export function cvesSince(entries: readonly ChangelogEntry[], version: string): readonly string[] {
  const later = entries.filter((entry) => compareVersions(withEpochOf(entry.version, version), version) > 0);
  const ids = later.flatMap(({ text }) => text.match(/\bCVE-\d{4}-\d{4,}\b/gi) ?? []);
  return [...new Set(ids.map((id) => id.toUpperCase()))].sort(byNumber);
}

/** True when nothing between the version and the newest entry is missing: changelogs in packages are cut off at their end. */
export function reachesBackTo(entries: readonly ChangelogEntry[], version: string): boolean {
  return entries.some((entry) => compareVersions(withEpochOf(entry.version, version), version) <= 0);
}

function withEpochOf(entry: string, version: string): string {
  return version.includes(':') ? entry : entry.replace(/^\d+:/, '');
}

function byNumber(a: string, b: string): number {
  const [[, yearA, numberA], [, yearB, numberB]] = [a.split('-'), b.split('-')];
  return Number(yearA) - Number(yearB) || Number(numberA) - Number(numberB);
}
