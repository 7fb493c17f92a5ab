// A project that is built in continuous integration: `node ci.mjs` is all that a job has to run.

import { defineFlake, localFolder, run } from 'cairn-build';
import { inputs, sandboxTool, shellTree } from 'cairn-build/derivations';

export default defineFlake({
  description: 'my project',
  inputs: { sandbox: inputs.sandbox, shell: inputs.shell },
  sandbox: ({ pins }) => sandboxTool(pins),
  outputs: ({ pins }) => ({
    default: run({
      name: 'hello',
      layers: [shellTree(pins)],
      inputs: { '/source': localFolder({ name: 'source', path: './source' }) },
      argv: ['/bin/sh', '/source/build.sh'],
    }),
  }),
});
