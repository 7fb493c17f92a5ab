// A package of one's own, GNU hello: its card is hello.ts. `cairn build` builds it for this machine, and
// `cairn build hello@aarch64-linux` for a Raspberry Pi.

import { defineFlake } from 'cairn-build';
import { createPackageSet, inputs, sandboxTool } from 'cairn-build/derivations';
import { hello } from './hello.ts';

export default defineFlake({
  description: 'a package of my own',
  // cairn's own, and the source of each package. Only what the outputs need is pinned.
  inputs: { ...inputs, hello: hello.source },
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => createPackageSet({ hello }, { pins, target }),
});
