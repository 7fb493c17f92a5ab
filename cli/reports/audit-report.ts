// What an audit found, as lines for a person and as records. Pure.

import type { Audited, Judged, Judgement, Level } from '../../engine/audit/index.ts';
import type { JsonRecord } from '../records/definitions.ts';
import { plainLine } from '../render/plain-text.ts';
import type { Style } from '../render/style.ts';
import { tableLines } from '../render/table.ts';
import { formatCount } from '../render/units.ts';

export interface AuditReport {
  /** `rpi@aarch64-linux`. */
  readonly images: readonly string[];
  readonly audited: Audited;
  readonly judgement: Judgement;
}

/** The newest; records have all. */
const shownCves = 8;

export function auditLines({ audited, judgement }: AuditReport, style: Style): string[] {
  const { findings } = judgement;
  const rows = findings.map(({ source, version, newest, origin, level }) => [
    source,
    `${plainLine(version)} \u2192 ${plainLine(newest)}`,
    origin === 'here' ? 'built here' : '',
    level ?? 'waived',
  ]);
  const { open, waived } = countsOf(findings);
  return [
    ...tableLines(rows).flatMap((line, at) => [
      line,
      ...detailsOf(findings[at]!).map((text) => `  ${style.dim(plainLine(text))}`),
    ]),
    ...audited.unknown.map(({ part, reason }) => `${part}: not known: ${plainLine(reason)}`),
    [
      `${formatCount(audited.sources, 'source')} looked at`,
      `${open.cve} with CVEs or not readable`,
      `${open.security} other security updates`,
      `${open.update} other updates`,
      `${waived} waived`,
      `${audited.unknown.length} not known`,
    ].join(', '),
  ];
}

function detailsOf({ parts, source, openCves, ruledOut, waivers, isServed, unread }: Judged): string[] {
  return [
    ...(parts.length === 1 && parts[0] === source ? [] : [`in ${parts.join(', ')}`]),
    ...(openCves.length > 0 ? [`fixes ${someOf(openCves)}`] : []),
    ...(ruledOut.size > 0 ? [`not in what was built: ${someOf([...ruledOut.keys()])}`] : []),
    ...waivers.map(({ cve = 'all of it', reason, until }) => `waived until ${until}: ${cve}: ${reason}`),
    ...(isServed ? [] : ['no mirror has it yet']),
    ...(unread === undefined ? [] : [`may fix more: ${unread}`]),
  ];
}

function someOf(cves: readonly string[]): string {
  const more = cves.length - shownCves;
  return cves.slice(-shownCves).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

export function auditRecords({ images, audited, judgement }: AuditReport): JsonRecord[] {
  return [
    ...judgement.findings.map(findingRecord),
    ...audited.unknown.map((unknown): JsonRecord => ({ type: 'audit-unknown', ...unknown })),
    {
      type: 'audit',
      images: [...images],
      sources: audited.sources,
      ...countsOf(judgement.findings),
      unknown: audited.unknown.length,
    },
  ];
}

function findingRecord({ source, origin, version, newest, ...finding }: Judged): JsonRecord {
  const { packages, parts, level, openCves, ruledOut, waivers, isServed, unread } = finding;
  const waived = waivers.map(({ cve, reason, until }) => ({
    ...(cve !== undefined && { cve }),
    reason,
    until,
  }));
  return {
    type: 'audit-finding',
    ...{ source, origin, version, newest, packages: [...packages], parts: [...parts], level },
    ...{ cves: [...openCves], ruledOut: [...ruledOut.keys()], waived, isServed, unread },
  };
}

function countsOf(findings: readonly Judged[]) {
  const of = (wanted: Level | undefined): number => findings.filter(({ level }) => level === wanted).length;
  const open = { update: of('update'), security: of('security'), cve: of('cve') };
  return { open, waived: of(undefined) };
}
