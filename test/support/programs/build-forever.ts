// Runs a step that does what it is told and never ends, and says when it has begun. Tests kill it.

import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { Jobserver } from '../../../engine/schedule/jobserver.ts';
import { sandboxTool } from '../../../engine/sandbox/tool.ts';
import { openStore } from '../../../store/index.ts';
import type { Digest } from '../../../store/base/digest.ts';

const [storePath, toolFolder, root, marker, act = 'true'] = process.argv.slice(2) as [
  ...[string, string, Digest, string],
  string | undefined,
];
const store = await openStore(storePath);
const executor = await createLocalExecutor({
  store,
  tool: sandboxTool(toolFolder),
  jobs: new Jobserver(4),
});
await executor.execute(
  {
    name: 'forever',
    platform: 'x86_64-linux',
    layers: [root],
    inputs: [],
    env: {},
    argv: [
      '/bin/sh',
      '-c',
      `trap "" TERM; { ${act}; }; echo begun; (while :; do sleep 0.1; done) & while :; do sleep 0.1; done # ${marker}`,
    ],
    outputs: ['out'],
    mayBeEmpty: ['out'],
    limits: {},
  },
  { signal: new AbortController().signal, onOutput: (text) => process.stdout.write(text) },
);
