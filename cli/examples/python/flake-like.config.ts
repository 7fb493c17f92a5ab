// An ordinary Python project: its sources, what it needs beside them in vendor/, and its tests, which must pass before there is an
// output. `cairn exec default -- wordcount` runs it.

import { composePackages, defineFlake, localFolder, run, type InputDeclaration } from 'cairn-build';
import { inputs, sandboxTool, shellTree } from 'cairn-build/derivations';

// What Python itself needs comes along, but for what `without` names. Add what else of Debian the project needs, and
// `cairn lock --missing` pins it.
const python: InputDeclaration = {
  kind: 'debian-packages',
  suite: 'trixie',
  architecture: 'amd64',
  packages: ['python3'],
  without: ['debconf', 'dpkg', 'media-types', 'netbase', 'readline-common', 'tzdata'],
};

export default defineFlake({
  description: 'a Python project of my own',
  inputs: { sandbox: inputs.sandbox, shell: inputs.shell, python },
  targets: ['x86_64-linux'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins }) => {
    const wordcount = run({
      name: 'wordcount',
      layers: [shellTree(pins), composePackages('python', pins.python)],
      inputs: { '/source': localFolder({ name: 'wordcount-source', path: './app' }) },
      // Nothing is written beside the sources, which are read-only, and no byte code that has a time in it.
      env: { PYTHONDONTWRITEBYTECODE: '1' },
      argv: ['/bin/sh', '/source/build.sh'],
    });
    return { default: { derivation: wordcount, description: 'a program that counts words' } };
  },
});
