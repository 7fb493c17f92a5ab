// Some packages of the seed as a layer, without the rest of it, and a sandbox: enough to run one program as a step does.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Node, Store } from '../../store/index.ts';
import { unpackPins } from './debian-files.ts';
import { executorFixture, type ExecutorFixture } from './sandbox-fixture.ts';

export interface SeedFixture extends ExecutorFixture {
  readonly tools: Node & { kind: 'tree' };
}

export interface SeedTools {
  /** Names of packages of the seed. */
  readonly packages: readonly string[];
  /** Symbolic links beside them: path to target. */
  readonly links?: Readonly<Record<string, string>>;
}

/** A sandbox's fixture with these tools in its store. For `beforeAll`, with `close` in `afterAll`. */
export async function seedFixture(wanted: SeedTools): Promise<SeedFixture> {
  const fixture = await executorFixture();
  return { ...fixture, tools: await seedTree(fixture.store, wanted) };
}

async function seedTree(store: Store, { packages, links = {} }: SeedTools): Promise<Node & { kind: 'tree' }> {
  const folder = mkdtempSync(join(tmpdir(), 'cairn-seed-'));
  try {
    await unpackPins('seed', packages, folder);
    for (const [path, target] of Object.entries(links)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      symlinkSync(target, join(folder, path));
    }
    const batch = store.begin();
    const tools = await batch.takeFolder(folder);
    await batch.commit();
    return tools;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
