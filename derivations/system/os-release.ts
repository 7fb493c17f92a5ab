// What a system says it is: os-release(5). Knows the components it is made of, not what is in them.

import { run, write, type Derivation } from '../../engine/model/index.ts';
import type { Component } from './component.ts';

/** cairn's own, since the systems are its. */
export const versionId = '0.1.0';

const script = `id=$(sha256sum < /parts/parts)
mkdir -p "$out/etc" "$out/usr/lib"
cat > "$out/etc/os-release" <<end
NAME=cairn
PRETTY_NAME="cairn ${versionId}"
ID=cairn
ID_LIKE=debian
VERSION="${versionId}"
VERSION_ID=${versionId}
BUILD_ID=$(printf %.16s "$id")
end
ln -s ../../etc/os-release "$out/usr/lib/os-release"
`;

/**
 * BUILD_ID is the same where all components are of the same pinned sources, whatever is configured with them. Of a folder that
 * stands for an input it has no more than that input's name.
 */
export function osRelease(components: readonly Component[], seed: Derivation): Derivation {
  return run({
    name: 'os-release',
    layers: [seed],
    inputs: { '/parts': write({ name: 'os-release-parts', files: { parts: partsOf(components) } }) },
    argv: ['/bin/sh', '-euc', script],
  });
}

function partsOf(components: readonly Component[]): string {
  const lines = components.flatMap(({ name, version, sources }) => [
    `${name} ${version}`,
    ...sources.map((source) => `  ${'url' in source ? source.sha256 : source.input}`),
  ]);
  return `${lines.join('\n')}\n`;
}
