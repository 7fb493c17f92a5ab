// The seed's python3, without the rest of the seed: enough to run a check program as a step does.

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Executor } from '../../engine/execute/executor.ts';
import { createLocalExecutor } from '../../engine/execute/local.ts';
import type { Node, Store } from '../../store/index.ts';
import { unpackPackage } from './debian-files.ts';
import { pins } from './package-set.ts';
import { sandboxFixture, type SandboxFixture } from './sandbox-fixture.ts';

export interface PythonFixture extends SandboxFixture {
  readonly executor: Executor;
  readonly tools: Node & { kind: 'tree' };
}

const pythonPackages = ['python3.13-minimal', 'libpython3.13-minimal', 'libexpat1', 'zlib1g', 'libc6'];

/** A sandbox's fixture with what runs a Python program in it. Further packages and links as for `pythonTools`. */
export async function pythonFixture(...further: FurtherTools): Promise<PythonFixture> {
  const fixture = await sandboxFixture();
  const executor = await createLocalExecutor({ store: fixture.store, tool: fixture.tool });
  const close = async (): Promise<void> => {
    await executor.close();
    await fixture.close();
  };
  return { ...fixture, executor, tools: await pythonTools(fixture.store, ...further), close };
}

type FurtherTools = [packages?: readonly string[], links?: Readonly<Record<string, string>>];

/** A tree in the store with python3, and with further packages of the seed. Links are by path. */
async function pythonTools(
  store: Store,
  further: readonly string[] = [],
  links: Readonly<Record<string, string>> = {},
): Promise<Node & { kind: 'tree' }> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-python-'));
  const wanted = [...pythonPackages, ...further];
  try {
    for (const pin of pins['seed']!.filter(({ name }) => wanted.includes(name))) {
      const path = pin.urls[0]!.replace('mirror://debian/', '');
      await unpackPackage({ path, sha256: pin.sha256 }, folder);
    }
    for (const [path, target] of Object.entries({ 'usr/bin/python3': 'python3.13', ...links }))
      symlinkSync(target, join(folder, path));
    const batch = store.begin();
    const tools = await batch.takeFolder(folder);
    await batch.commit();
    return tools;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
