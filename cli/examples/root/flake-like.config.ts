// A root folder out of Debian's packages and a few files. Nothing is run to make it.

import { compose, composePackages, defineFlake, write, type InputDeclaration } from 'cairn-build';
import { inputs, sandboxTool } from 'cairn-build/derivations';

// What depends on them comes along, but for what `without` names. `cairn lock --missing` pins what is changed here.
const packages: InputDeclaration = {
  kind: 'debian-packages',
  suite: 'trixie',
  architecture: 'amd64',
  packages: ['busybox'],
  without: ['libgcc-s1'],
};

export default defineFlake({
  description: 'a root of my own',
  inputs: { sandbox: inputs.sandbox, packages },
  targets: ['x86_64-linux'],
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins }) => {
    const files = write({
      name: 'files',
      files: {
        bin: { symlink: 'usr/bin' },
        lib64: { symlink: 'usr/lib64' },
        'usr/bin/sh': { symlink: 'busybox' },
        'etc/motd': 'Welcome to a root of my own.\n',
      },
    });
    // Documentation is left out. Two parts that bring different content to one path would be an error.
    const root = compose({
      name: 'root',
      parts: [
        { input: composePackages('packages', pins.packages), exclude: ['usr/share/doc', 'usr/lib/*/gconv'] },
        files,
      ],
    });
    return { default: { derivation: root, description: 'busybox and a greeting' } };
  },
});
