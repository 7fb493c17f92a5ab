// A package of one's own, GNU hello: its card is hello.ts. `cairn build` builds it for this machine,
// `cairn exec hello -- hello` runs it, and `cairn build hello@aarch64-linux` builds it for a Raspberry Pi.

import { defineFlake } from 'cairn-build';
import { createPackageSet, inputs, sandboxTool } from 'cairn-build/derivations';
import { hello } from './hello.ts';

export default defineFlake({
  description: 'a package of my own',
  // cairn's own, and the source of each package. Only what the outputs need is pinned.
  inputs: { ...inputs, hello: hello.source },
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins, target }) => {
    const packages = createPackageSet({ hello }, { pins, target });
    // `hello-root` is what `cairn exec hello` runs programs in: hello with its libraries.
    return { default: packages.hello, hello: packages.hello, 'hello-root': packages.hello.root };
  },
});
