// What tests with real sandboxes need: a store, the sandbox's own programs, and a small root with a shell and make.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../store/base/digest.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { openStore, type Store } from '../../store/index.ts';
import type { Executor } from '../../engine/execute/executor.ts';
import { createLocalExecutor, type LocalExecutorOptions } from '../../engine/execute/local.ts';
import { sandboxTool, type SandboxTool } from '../../engine/sandbox/tool.ts';
import { unpackPackage, unpackPins } from './debian-files.ts';
import { busybox, loader, unpackSandboxTool } from './sources.ts';

export interface SandboxFixture {
  readonly store: Store;
  readonly tool: SandboxTool;
  /** The tool tree's folder. */
  readonly toolFolder: string;
  /** The same in the store, put there when it is first asked for. */
  readonly toolTree: () => Promise<Digest>;
  /** A root in the store: static busybox under every name it answers to, and GNU make. */
  readonly root: Digest;
  /** Closes the store and removes everything. */
  close(): Promise<void>;
}

export interface ExecutorFixture extends SandboxFixture {
  /** Closed with the fixture. */
  readonly executor: Executor;
}

/** Everything is fresh; the packages it comes from are not downloaded again. For `beforeAll`, with `close` in `afterAll`. */
export async function sandboxFixture(): Promise<SandboxFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-sandbox-'));
  const toolFolder = join(folder, 'tool');
  const rootFolder = join(folder, 'root');
  await unpackSandboxTool(toolFolder);
  await makeRoot(rootFolder);
  const store = await openStore(join(folder, 'store'));
  const batch = store.begin();
  const root = await batch.takeFolder(rootFolder);
  await batch.commit();
  return {
    store,
    tool: sandboxTool(toolFolder),
    toolFolder,
    toolTree: async () => (await store.importFolder(toolFolder)).node.digest,
    root: root.digest,
    close: async () => {
      await store.close();
      removeTree(folder);
    },
  };
}

/** The same with an executor. */
export async function executorFixture(
  options: Omit<LocalExecutorOptions, 'store' | 'tool'> = {},
): Promise<ExecutorFixture> {
  const fixture = await sandboxFixture();
  const executor = await createLocalExecutor({ ...options, store: fixture.store, tool: fixture.tool });
  return {
    ...fixture,
    executor,
    close: async () => {
      await executor.close();
      await fixture.close();
    },
  };
}

async function makeRoot(folder: string): Promise<void> {
  mkdirSync(join(folder, 'usr'), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(folder, name));
  await unpackPins('seed', ['make'], folder, ['./usr/bin/make']);
  await unpackPins('sandbox', ['libc6'], folder, [
    './usr/lib64',
    loader,
    './usr/lib/x86_64-linux-gnu/libc.so.6',
  ]);
  await unpackPackage(busybox, folder, ['./usr/bin/busybox']);
  const program = join(folder, 'usr/bin/busybox');
  const applets = execFileSync(program, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  for (const applet of applets)
    if (applet !== 'busybox') symlinkSync('busybox', join(folder, 'usr/bin', applet));
}
