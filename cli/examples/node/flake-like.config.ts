// An ordinary Node project: its sources, the packages that it needs in vendor/, and its tests, which must pass before there is an
// output. `cairn exec default -- wordcount` runs it.

import { composePackages, defineFlake, localFolder, run, type InputDeclaration } from 'cairn-build';
import { inputs, sandboxTool, shellTree } from 'cairn-build/derivations';

// What Node itself needs comes along. npm is not there: nothing can be downloaded in a step.
const node: InputDeclaration = {
  kind: 'debian-packages',
  suite: 'trixie',
  architecture: 'amd64',
  packages: ['nodejs'],
};

export default defineFlake({
  description: 'a Node project of my own',
  inputs: { sandbox: inputs.sandbox, shell: inputs.shell, node },
  targets: ['x86_64-linux'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins }) => {
    const wordcount = run({
      name: 'wordcount',
      layers: [shellTree(pins), composePackages('node', pins.node)],
      inputs: { '/source': localFolder({ name: 'wordcount-source', path: './app' }) },
      argv: ['/bin/sh', '/source/build.sh'],
    });
    return { default: { derivation: wordcount, description: 'a program that counts words' } };
  },
});
