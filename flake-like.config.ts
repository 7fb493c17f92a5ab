// What this repository builds: the package set in derivations/, for both targets.

import { packageOutputs, inputs, sandboxTool } from './derivations/index.ts';
import { defineFlake, type Waiver } from './engine/model/index.ts';

// What changelogs name beside a new release of upstream's is fixed in that release, which is what is built here.
const inRelease = (source: string, release: string, ...cves: readonly string[]): readonly Waiver[] =>
  cves.map((cve) => ({
    source,
    cve,
    reason: `fixed in ${source} ${release} itself`,
    until: '2027-11-30',
    claims: 'fixed',
  }));

export default defineFlake({
  description: 'cairn: a custom Linux system, from pinned sources to images',
  inputs,
  targets: ['aarch64-linux', 'x86_64-linux'],
  waivers: [
    ...inRelease('procps', '4.0.4', 'CVE-2023-4016'),
    ...inRelease('tar', '1.35', 'CVE-2022-48303', 'CVE-2023-39804'),
    ...inRelease('util-linux', '2.41.5', 'CVE-2026-53612', 'CVE-2026-53613', 'CVE-2026-53614'),
  ],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => packageOutputs({ pins, target }),
});
