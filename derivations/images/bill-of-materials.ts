// What is known of a component before anything is built, as an entry of a CycloneDX bill of materials. Pure.

import type { Component, Download } from '../system/component.ts';
import { distro } from '../lib/suites.ts';
import { isSpdxExpression } from './spdx.ts';

interface Reference {
  readonly type: 'distribution' | 'source-distribution';
  readonly url: string;
  readonly hashes: readonly { readonly alg: 'SHA-256'; readonly content: string }[];
}

type Licence =
  { readonly expression: string } | { readonly license: { readonly id: string } | { readonly name: string } };

interface PatchEntry {
  readonly type: 'backport';
  readonly resolves: readonly { readonly type: 'security'; readonly id: string }[];
}

/** An entry of `components`, but for what only a build can tell. */
export interface BillEntry {
  readonly type: 'library';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version?: string;
  /** Who it comes from, where that is somebody else than who made it. */
  readonly supplier?: { readonly name: string };
  readonly licenses: readonly Licence[];
  readonly purl?: string;
  /** What was done to it: patches and the CVEs that they fix. Folders in place of downloads join when they are known. */
  readonly pedigree?: { readonly patches: readonly PatchEntry[] };
  readonly externalReferences: readonly Reference[];
}

/** @example billEntry(kernel.component).licenses // [{ expression: 'GPL-2.0-only WITH Linux-syscall-note' }] */
export function billEntry({
  name,
  version,
  licence,
  sources,
  fixes = [],
}: Omit<Component, 'tree'>): BillEntry {
  const downloads = sources.filter((source) => 'url' in source);
  const purl = packageUrl(name, version, downloads);
  return {
    type: 'library',
    // Of its own kind, for an image may have the name of one of its components.
    'bom-ref': `component:${version === '' ? name : `${name}@${version}`}`,
    name,
    ...(version !== '' && { version }),
    ...(downloads.some(({ url }) => isPackage(url)) && { supplier: { name: 'Debian' } }),
    licenses: licence === undefined ? [] : [licenceOf(licence)],
    ...(purl !== undefined && { purl }),
    ...(fixes.length > 0 && {
      pedigree: { patches: [{ type: 'backport', resolves: fixes.map(security) }] },
    }),
    externalReferences: downloads.map(({ url, sha256 }) => ({
      type: isPackage(url) ? 'distribution' : 'source-distribution',
      url,
      hashes: [{ alg: 'SHA-256', content: sha256 }],
    })),
  };
}

function security(id: string) {
  return { type: 'security', id } as const;
}

/**
 * By which scanners know it (github.com/package-url/purl-spec). Debian's packages and sources are Debian's; what is built here is
 * Debian's by no one's account, since none of Debian's patches is in it: upstream's release, told apart by the archive.
 */
function packageUrl(name: string, version: string, sources: readonly Download[]): string | undefined {
  const binary = sources.find(({ url }) => isPackage(url));
  if (binary !== undefined) return debianPackageUrl(binary);
  const [original] = sources;
  if (original === undefined || version === '') return undefined;
  return `pkg:generic/${encoded(name)}@${encoded(version)}?checksum=sha256:${original.sha256}`;
}

// The first one's own name and version, which are not always the component's: those of the C library, for instance.
function debianPackageUrl({ url, source }: Download): string | undefined {
  const [, name, version, architecture] = /([^/_]+)_([^/_]+)_([a-z0-9]+)\.deb$/.exec(url) ?? [];
  if (name === undefined || version === undefined || architecture === undefined) return undefined;
  const epoch = /^\d+:/.exec(source?.version ?? '')?.[0] ?? '';
  const own = decodeURIComponent(version);
  const upstream =
    source && source.name !== name ? [`upstream=${encoded(`${source.name}@${source.version}`)}`] : [];
  const qualifiers = [`arch=${architecture}`, `distro=${distro}`, ...upstream];
  return `pkg:deb/debian/${encoded(name)}@${encoded(own.includes(':') ? own : epoch + own)}?${qualifiers.join('&')}`;
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}

function isPackage(url: string): boolean {
  return url.endsWith('.deb');
}

// The field `expression` is for SPDX alone; a name may be anything, such as the short names of Debian's copyright files.
function licenceOf(licence: string): Licence {
  return isSpdxExpression(licence) ? { expression: licence } : { license: { name: licence } };
}
