// Fills the disk its store lies on with a step, then runs a small one. Writes how each ended. Tests give it a small disk.

import { readFileSync } from 'node:fs';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import { sandboxTool } from '../../../engine/sandbox/tool.ts';
import { openStore } from '../../../store/index.ts';
import type { BuildRequest } from '../../../engine/execute/executor.ts';

const [storePath, toolFolder, busybox] = process.argv.slice(2) as [string, string, string];
const store = await openStore(storePath);
const batch = store.begin();
const node = { kind: 'blob', digest: batch.addBytes(readFileSync(busybox), true), executable: true } as const;
await batch.commit();
const executor = await createLocalExecutor({ store, tool: sandboxTool(toolFolder) });

const fill = 'head -c 100000000 /dev/zero';
// The third one removes what had filled the disk, as a linker does.
const removing = `${fill} > fill || { rm fill; exit 1; }`;
// The fourth one does not tell: this awk ends with success, whatever became of what it wrote.
const unnoticed = `${fill} > fill 2> /dev/null; /bin/busybox awk 'BEGIN { while (i++ < 9999) print i }' > $out/text; sleep 0.1; rm fill`;
for (const script of [
  `${fill} > fill`,
  `${fill} > $out/fill`,
  removing,
  unnoticed,
  'echo done > $out/done',
]) {
  const request: BuildRequest = {
    name: 'fill',
    platform: 'x86_64-linux',
    layers: [],
    inputs: [{ path: '/bin/busybox', node }],
    env: {},
    argv: ['/bin/busybox', 'sh', '-c', script],
    outputs: ['out'],
    mayBeEmpty: ['out'],
    limits: {},
  };
  const result = await executor.execute(request, {
    signal: new AbortController().signal,
    onOutput: () => undefined,
  });
  if (result.kind === 'succeeded') await result.batch.commit();
  process.stdout.write(`${result.kind === 'failed' ? result.reason.kind : result.kind}\n`);
}
await executor.close();
await store.close();
