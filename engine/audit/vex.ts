// What an audit came to, in the words of OpenVEX (github.com/openvex/spec, 0.2.0), which scanners read beside a bill of
// materials: each CVE of which something is known here, with the package URLs of what it is in. Pure.

import { createHash } from 'node:crypto';
import type { Waiver } from '../model/flake.ts';
import type { AuditedPart } from './audit.ts';
import type { Judged } from './waivers.ts';

/** What is said of one CVE in some products. */
export type VexStatement = {
  readonly vulnerability: { readonly name: string };
  readonly products: readonly { readonly '@id': string }[];
  readonly status_notes?: string;
} & (
  | { readonly status: 'affected'; readonly action_statement: string }
  | { readonly status: 'fixed' }
  | { readonly status: 'not_affected'; readonly justification: 'vulnerable_code_not_present' }
  | { readonly status: 'not_affected'; readonly impact_statement: string }
);

export interface VexDocument {
  readonly '@context': string;
  readonly '@id': string;
  readonly author: string;
  readonly timestamp: string;
  readonly version: 1;
  readonly tooling: string;
  readonly statements: readonly VexStatement[];
}

/**
 * Nothing is said to be not affected but what a kernel's build has no code of, and what a waiver claims in so many words.
 * A finding whose CVEs nobody could read has none to say anything of.
 */
export function vexStatements(
  findings: readonly Judged[],
  parts: readonly AuditedPart[],
): readonly VexStatement[] {
  return [...parts.flatMap(patched), ...findings.flatMap(found)];
}

/** Its id follows from all else of it. */
export function vexDocument(
  statements: readonly VexStatement[],
  { author, timestamp, tooling }: Pick<VexDocument, 'author' | 'timestamp' | 'tooling'>,
): VexDocument {
  const said = { author, timestamp, version: 1, tooling, statements } as const;
  const id = createHash('sha256').update(JSON.stringify(said)).digest('hex');
  return { '@context': 'https://openvex.dev/ns/v0.2.0', '@id': `urn:uuid:${uuidOf(id)}`, ...said };
}

// Version 8 of RFC 9562: bits of one's own.
function uuidOf(hex: string): string {
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function patched({ purl, fixes }: AuditedPart): readonly VexStatement[] {
  if (purl === undefined) return [];
  return [...new Set(fixes)].map((cve) => ({
    ...about(cve, [purl]),
    status: 'fixed',
    status_notes: 'a patch that its build applies fixes it',
  }));
}

function found(finding: Judged): readonly VexStatement[] {
  if (finding.purls.length === 0) return [];
  return finding.cves.map((cve): VexStatement => {
    const subject = about(cve, finding.purls);
    const absence = finding.ruledOut.get(cve);
    if (absence !== undefined)
      return {
        ...subject,
        status: 'not_affected',
        justification: 'vulnerable_code_not_present',
        status_notes: absence,
      };
    if (finding.openCves.includes(cve))
      return { ...subject, status: 'affected', action_statement: updateOf(finding) };
    // One that names the CVE says more than one of all of the source.
    const waiver = finding.waivers.find((one) => one.cve === cve) ?? finding.waivers[0]!;
    return { ...subject, ...waived(waiver) };
  });
}

function updateOf({ source, origin, newest, isServed }: Judged): string {
  const what =
    origin === 'here'
      ? `Debian's ${source} ${newest} names it as fixed; what is built here has none of its patches`
      : `${source} ${newest} has it fixed`;
  return isServed ? what : `${what}; no mirror has that yet`;
}

type Verdict =
  | { readonly status: 'affected'; readonly action_statement: string }
  | { readonly status: 'fixed'; readonly status_notes: string }
  | { readonly status: 'not_affected'; readonly impact_statement: string };

function waived({ claims, reason, until }: Waiver): Verdict {
  if (claims === 'fixed') return { status: 'fixed', status_notes: reason };
  if (claims === 'not-affected') return { status: 'not_affected', impact_statement: reason };
  return { status: 'affected', action_statement: `let be until ${until}: ${reason}` };
}

function about(cve: string, purls: readonly string[]) {
  return { vulnerability: { name: cve }, products: purls.map((purl) => ({ '@id': purl })) };
}
