// What an audit finds of a kernel that is built here and has newer releases.

import type { Finding } from '../../engine/audit/index.ts';

export function linuxFinding({
  purl,
  cves,
}: {
  readonly purl: string;
  readonly cves: readonly string[];
}): Finding {
  return {
    source: 'linux',
    origin: 'here',
    version: '6.12.107',
    newest: '6.12.118-1',
    packages: ['linux'],
    parts: ['linux'],
    purls: [purl],
    isBehind: true,
    cves,
    isSecurity: true,
    isServed: true,
  };
}
