// Which findings count, once the config's waivers and what is proven to be no part of them are taken off, and how grave each is.
// Pure; the day is said from outside.

import type { Waiver } from '../model/flake.ts';
import type { Finding } from './audit.ts';

/**
 * How grave an open finding is. `cve`: it fixes CVEs, or nobody can tell that it does not; `security`: it comes from the
 * archive of security updates; `update`: it is newer, no more.
 */
export const levels = ['update', 'security', 'cve'] as const;
export type Level = (typeof levels)[number];

/** CVEs, each with the proof. */
export type RuledOut = ReadonlyMap<string, string>;

export interface Judged extends Finding {
  /** Undefined when a waiver lets all of it be. */
  readonly level: Level | undefined;
  /** Those of its CVEs that nothing built has the code of, each with the proof. */
  readonly ruledOut: RuledOut;
  /** Those that are neither ruled out nor let be by a waiver. */
  readonly openCves: readonly string[];
  readonly waivers: readonly Waiver[];
}

export interface Judgement {
  readonly findings: readonly Judged[];
  /** Waivers whose last day is over: they do not count. */
  readonly expired: readonly Waiver[];
  /** Waivers of nothing that was found. */
  readonly unused: readonly Waiver[];
}

/** `today` as `2027-03-31`. */
export function judge(
  findings: readonly Finding[],
  waivers: readonly Waiver[],
  today: string,
  ruledOut: ReadonlyMap<Finding, RuledOut> = new Map(),
): Judgement {
  const valid = waivers.filter(({ until }) => until >= today);
  const judged = findings.map((finding) => judgeOne(finding, valid, ruledOut.get(finding) ?? new Map()));
  const used = new Set(judged.flatMap((finding) => finding.waivers));
  return {
    findings: judged,
    expired: waivers.filter((waiver) => !valid.includes(waiver)),
    unused: valid.filter((waiver) => !used.has(waiver)),
  };
}

/** True for a level that is at least as grave as the limit. */
export function reaches(level: Level | undefined, limit: Level): boolean {
  return level !== undefined && levels.indexOf(level) >= levels.indexOf(limit);
}

function judgeOne(finding: Finding, all: readonly Waiver[], ruledOut: RuledOut): Judged {
  const left = finding.cves.filter((cve) => !ruledOut.has(cve));
  const waivers = all.filter(
    ({ source, cve }) => source === finding.source && (cve === undefined || left.includes(cve)),
  );
  const isWaived = waivers.some(({ cve }) => cve === undefined);
  const openCves = isWaived ? [] : left.filter((id) => !waivers.some(({ cve }) => cve === id));
  return {
    ...finding,
    waivers,
    ruledOut,
    openCves,
    level: isWaived ? undefined : levelOf(finding, openCves),
  };
}

function levelOf({ unread, isSecurity, isBehind }: Finding, openCves: readonly string[]): Level | undefined {
  if (openCves.length > 0 || unread !== undefined) return 'cve';
  // Built here, from what is the newest: there was nothing to it but CVEs, and all of them are let be.
  if (!isBehind) return undefined;
  return isSecurity ? 'security' : 'update';
}
