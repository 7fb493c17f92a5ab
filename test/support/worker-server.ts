// Debian's buildbox as a server with workers of its own, in each of the two ways that workers have: a command in a folder, or in a
// sandbox whose root is that folder.

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { travellingTool } from '../../engine/remote/travelling-tool.ts';
import { SeenPace } from '../../engine/schedule/pace.ts';
import { RemoteExecutor } from '../../engine/remote/remote-executor.ts';
import { ReapiClient } from '../../store/reapi/index.ts';
import type { ReapiClientOptions } from '../../store/reapi/client.ts';
import type { Buildbox } from './buildbox.ts';
import { CasServer } from './cas-server.ts';
import type { SandboxFixture } from './sandbox-fixture.ts';

export type WorkerKind = 'in a folder' | 'in a sandbox';

/** To be stopped. Two workers, as many as there are slots. */
export function startWorkers(
  buildbox: Buildbox,
  kind: WorkerKind,
  { folder, toolFolder }: { readonly folder: string; readonly toolFolder?: string },
): Promise<CasServer> {
  const runner = kind === 'in a folder' ? 'buildbox-run-hosttools' : 'buildbox-run-bubblewrap';
  if (toolFolder !== undefined) installBubblewrap(join(dirname(buildbox[runner]), 'bwrap'), toolFolder);
  mkdirSync(folder);
  return CasServer.start(buildbox, folder, [
    ...['--quota-high', '10G', '--jobs', '2', '--cache-failures=false'],
    ...['--buildbox-run', buildbox[runner], '--runner-arg=--staging-mode=copy-or-link'],
  ]);
}

/** What a worker must be told so that a sandbox can be made in its own. */
export function propertiesFor(kind: WorkerKind): Readonly<Record<string, string>> {
  if (kind === 'in a folder') return {};
  const id = String(process.getuid?.() === 0 ? 1000 : process.getuid!());
  return { unixUID: id, unixGID: id };
}

/** To be closed. */
export async function remoteExecutor(
  { store, toolTree }: SandboxFixture,
  url: string,
  kind: WorkerKind,
  options: ReapiClientOptions = {},
  pace = new SeenPace(),
): Promise<RemoteExecutor> {
  const tool = travellingTool(await toolTree(), 'tool', store.trees);
  const [mode, properties] = [kind === 'in a folder' ? 'portable' : 'chroot', propertiesFor(kind)] as const;
  const client = new ReapiClient(url, options);
  return new RemoteExecutor({
    store,
    tool,
    mode,
    properties,
    client,
    name: url,
    jobs: 1,
    known: new Set(),
    pace,
  });
}

function installBubblewrap(path: string, toolFolder: string): void {
  const libraries = `${toolFolder}/usr/lib/x86_64-linux-gnu`;
  const start = `${libraries}/ld-linux-x86-64.so.2 --library-path ${libraries} ${toolFolder}/usr/bin/bwrap`;
  writeFileSync(path, `#!/bin/sh\nexec ${start} "$@"\n`);
  chmodSync(path, 0o755);
}
