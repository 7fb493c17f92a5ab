// Whether a text is a licence expression of SPDX: by its grammar (spdx.github.io/spdx-spec, annex D), and with ids of its list.
// Pure.

/** @example isSpdxExpression('GPL-2.0-only WITH Linux-syscall-note') // true; 'GPL-2.0-only MIT' is none */
export function isSpdxExpression(text: string): boolean {
  const words = text.match(/[()]|[^\s()]+/g) ?? [];
  const end = expressionFrom(words, 0);
  return end === words.length;
}

// Each gives where what it read ends; undefined when it is not there.
function expressionFrom(words: readonly string[], at: number): number | undefined {
  const end = termFrom(words, at);
  if (end === undefined) return undefined;
  return words[end] === 'AND' || words[end] === 'OR' ? expressionFrom(words, end + 1) : end;
}

function termFrom(words: readonly string[], at: number): number | undefined {
  if (words[at] === '(') {
    const end = expressionFrom(words, at + 1);
    return end !== undefined && words[end] === ')' ? end + 1 : undefined;
  }
  const [licence = '', joint, exception = ''] = words.slice(at, at + 3);
  if (!licences.has(licence.replace(/\+$/, '')) && !/^LicenseRef-[\w.-]+$/.test(licence)) return undefined;
  if (joint !== 'WITH') return at + 1;
  return exceptions.has(exception) ? at + 3 : undefined;
}

// Of spdx.org/licenses, those that systems like this one are made of.
const licences = new Set(
  `0BSD AFL-2.1 AGPL-1.0-only AGPL-1.0-or-later AGPL-3.0-only AGPL-3.0-or-later Apache-2.0 Artistic-1.0 Artistic-1.0-Perl
  Artistic-2.0 BSD-1-Clause BSD-2-Clause BSD-3-Clause BSD-4-Clause BSD-4-Clause-UC BSD-Source-Code BSL-1.0 CC-BY-3.0
  CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 curl EUPL-1.2 FSFAP FSFUL FSFULLR FTL GFDL-1.1-only
  GFDL-1.1-or-later GFDL-1.1-no-invariants-only GFDL-1.1-no-invariants-or-later GFDL-1.2-only GFDL-1.2-or-later
  GFDL-1.2-no-invariants-only GFDL-1.2-no-invariants-or-later GFDL-1.3-only GFDL-1.3-or-later
  GFDL-1.3-no-invariants-only GFDL-1.3-no-invariants-or-later GPL-1.0-only GPL-1.0-or-later GPL-2.0-only
  GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later HPND ICU IJG ISC LGPL-2.0-only LGPL-2.0-or-later LGPL-2.1-only
  LGPL-2.1-or-later LGPL-3.0-only LGPL-3.0-or-later Libpng MIT MIT-0 MIT-CMU MPL-1.1 MPL-2.0 NCSA NTP NTP-0 OFL-1.1
  OLDAP-2.8 OpenSSL PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Ruby SISSL SMLNJ Sleepycat TCL TCP-wrappers Unicode-3.0
  Unicode-DFS-2016 Unlicense Vim W3C WTFPL X11 Xnet Zlib ZPL-2.1 bzip2-1.0.6 blessing dtoa MirOS HPND-sell-variant
  Linux-man-pages-copyleft`.split(/\s+/),
);

const exceptions = new Set(
  `Autoconf-exception-2.0 Autoconf-exception-3.0 Bison-exception-2.2 Classpath-exception-2.0 GCC-exception-2.0
  GCC-exception-3.1 Libtool-exception Linux-syscall-note LLVM-exception`.split(/\s+/),
);
