// Writes a config with a graph of any size, the one that other build tools are measured with: `layers` of `width`
// nodes, node i of a layer needing nodes i, i+1 and i+7 (modulo the width) of the layer below, and one node, `all`,
// that needs the whole last layer. Knows nothing of measuring.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SyntheticGraph {
  readonly layers: number;
  readonly width: number;
  /** A comment in the command of the first node of the first layer; another one changes that derivation alone. */
  readonly comment?: string;
  /** What `import … from` names for the model: `cairn-build`, or a path. */
  readonly model?: string;
  /** Whether the steps can be built: with a static busybox and a sandbox of cairn's own pins. Else only planned. */
  readonly canBuild?: boolean;
}

/** Writes the config and the comment, a file of its own, into a folder. Returns the config's path. */
export function writeSyntheticGraph(folder: string, graph: SyntheticGraph): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'flake-like.config.ts');
  writeFileSync(path, configText(graph));
  writeComment(folder, graph.comment ?? 'no comment');
  return path;
}

/** Changes the comment only. */
export function writeComment(folder: string, comment: string): void {
  writeFileSync(join(folder, 'comment.txt'), `${comment}\n`);
}

// Debian's static busybox: one file that is a whole root.
const busybox = {
  url: 'mirror://debian/pool/main/b/busybox/busybox-static_1.37.0-6+b9_amd64.deb',
  sha256: '598a3fd92bdafc34cd81196b2952ad36e910e47a4ecf162f8ce5e8e262598e53',
};

function configText({ layers, width, model = 'cairn-build', canBuild = false }: SyntheticGraph): string {
  const shell = canBuild
    ? `compose({
  name: 'shell',
  parts: [{ input: from(unpack({ name: 'busybox', archive, strip: 0 }), { subpath: 'usr/bin/busybox' }), at: 'bin/sh' }],
})`
    : `write({ name: 'shell', files: { 'bin/sh': 'not a shell' } })`;
  return `import { compose, defineFlake, fetchUrl, from, run, unpack, write, type Derivation } from '${model}';
${canBuild ? `import { inputs, sandboxTool } from '${model}/derivations';` : ''}
import comment from './comment.txt';

const archive = fetchUrl({ name: 'busybox.deb', urls: ['${busybox.url}'], sha256: '${busybox.sha256}' });
const shell = ${shell};

function node(name: string, below: readonly Derivation[], remark = ''): Derivation {
  const inputs = Object.fromEntries(below.map((input, at) => [\`/in/\${at}\`, input]));
  const command = \`\${remark}mkdir -p $out && echo \${name} > $out/\${name}\`;
  return run({ name, layers: [shell], inputs, argv: ['/bin/sh', '-c', command] });
}

function graph(layers: number, width: number): Derivation {
  let below: Derivation[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const last = below;
    const needs = (at: number) => (layer === 0 ? [] : [0, 1, 7].map((step) => last[(at + step) % width]!));
    below = Array.from({ length: width }, (_, at) =>
      node(\`n\${layer}-\${at}\`, needs(at), layer + at === 0 ? \`# \${comment}\` : ''),
    );
  }
  return node('all', below);
}

export default defineFlake({
  description: '${layers} layers of ${width} nodes',
  inputs: ${canBuild ? '{ sandbox: inputs.sandbox }' : '{}'},
  ${canBuild ? 'sandbox: ({ pins }) => sandboxTool(pins),' : ''}
  targets: ['x86_64-linux'],
  outputs: () => ({ all: graph(${layers}, ${width}), first: node('first', []) }),
});
`;
}
