// What this project builds. `cairn build` builds the output that is called default; `cairn list` says what else there is.

import { defineFlake, localFolder, run } from 'cairn-build';
import { inputs, sandboxTool, shellTree } from 'cairn-build/derivations';

export default defineFlake({
  description: 'my project',
  // All that comes from outside. flake-like.lock pins it, `cairn lock` moves the pins, and builds use nothing else.
  inputs: { sandbox: inputs.sandbox, shell: inputs.shell },
  // What steps are run in.
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins }) => {
    // A folder of yours, but for what git ignores. When something in it changes, what is made of it is built again.
    const source = localFolder({ name: 'source', path: './source' });
    // A step sees its layers, its inputs and nothing else of this machine. What it leaves in $out is its output.
    const hello = run({
      name: 'hello',
      layers: [shellTree(pins)],
      inputs: { '/source': source },
      argv: ['/bin/sh', '/source/build.sh'],
    });
    return { default: { derivation: hello, description: 'a greeting' } };
  },
});
