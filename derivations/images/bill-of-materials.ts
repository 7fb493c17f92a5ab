// What is known of a component before anything is built, as an entry of a CycloneDX bill of materials. Pure.

import type { Component, Download } from '../system/component.ts';

interface Reference {
  readonly type: 'distribution' | 'source-distribution';
  readonly url: string;
  readonly hashes: readonly { readonly alg: 'SHA-256'; readonly content: string }[];
}

type Licence =
  { readonly expression: string } | { readonly license: { readonly id: string } | { readonly name: string } };

/** An entry of `components`, but for what only a build can tell. */
export interface BillEntry {
  readonly type: 'library';
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version?: string;
  readonly licenses: readonly Licence[];
  readonly purl?: string;
  /** Said of what was made from a folder in place of a pinned download. */
  readonly pedigree?: { readonly notes: string };
  readonly externalReferences: readonly Reference[];
}

/** @example billEntry(kernel.component).licenses // [{ expression: 'GPL-2.0-only WITH Linux-syscall-note' }] */
export function billEntry({ name, version, licence, sources }: Omit<Component, 'tree'>): BillEntry {
  const downloads = sources.filter((source) => 'url' in source);
  const folders = sources.flatMap((source) => ('url' in source ? [] : [source.input]));
  const purl = packageUrl(name, version, downloads);
  return {
    type: 'library',
    'bom-ref': version === '' ? name : `${name}@${version}`,
    name,
    ...(version !== '' && { version }),
    licenses: licence === undefined ? [] : [licenceOf(licence)],
    ...(purl !== undefined && { purl }),
    ...(folders.length > 0 && { pedigree: { notes: folders.map(localNote).join('; ') } }),
    externalReferences: downloads.map(({ url, sha256 }) => ({
      type: isPackage(url) ? 'distribution' : 'source-distribution',
      url,
      hashes: [{ alg: 'SHA-256', content: sha256 }],
    })),
  };
}

function localNote(input: string): string {
  return `made from a local folder in place of the pinned input ${input}`;
}

// Where Debian's package is the source, its name and architecture are in the URL (github.com/package-url/purl-spec).
function packageUrl(name: string, version: string, sources: readonly Download[]): string | undefined {
  const url = sources.map((source) => source.url).find(isPackage);
  const [, architecture] = /_([a-z0-9]+)\.deb$/.exec(url ?? '') ?? [];
  if (architecture === undefined) return undefined;
  return `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${architecture}`;
}

function isPackage(url: string): boolean {
  return url.endsWith('.deb');
}

// The field `expression` is for SPDX alone; a name may be anything, such as the short names of Debian's copyright files.
function licenceOf(licence: string): Licence {
  const words = licence.split(/[\s()]+/).filter((word) => word !== '' && !/^(AND|OR|WITH)$/.test(word));
  return words.length > 0 && words.every((word) => spdxIds.has(word.replace(/\+$/, '')))
    ? { expression: licence }
    : { license: { name: licence } };
}

// Of spdx.org/licenses, those that systems like this one are made of.
const spdxIds = new Set(
  `0BSD AFL-2.1 AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-1.0 Artistic-2.0 BSD-1-Clause BSD-2-Clause BSD-3-Clause
  BSD-3-Clause-UC BSD-4-Clause BSD-4-Clause-UC BSD-Source-Code BSL-1.0 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0
  CC0-1.0 CDDL-1.0 curl EUPL-1.2 FSFAP FSFUL FSFULLR FTL GFDL-1.2-or-later GFDL-1.3-no-invariants-or-later
  GFDL-1.3-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG
  ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng LicenseRef-raspberry-pi
  MIT MIT-0 MIT-CMU MPL-1.1 MPL-2.0 NCSA NTP OFL-1.1 OLDAP-2.8 OpenSSL PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Ruby
  SISSL SMLNJ Sleepycat TCL TCP-wrappers Unicode-3.0 Unicode-DFS-2016 Unlicense Vim W3C WTFPL X11 Xnet Zlib ZPL-2.1
  Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0 GCC-exception-2.0
  GCC-exception-3.1 Libtool-exception Linux-syscall-note LLVM-exception OpenSSL-exception
  bzip2-1.0.6 blessing dtoa ntp-0 MirOS HPND-sell-variant Linux-man-pages-copyleft`.split(/\s+/),
);
