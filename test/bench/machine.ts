// Folders and yardsticks that several figures share. Everything measured lives in one folder that is gone afterwards.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { packageRoot } from '../../store/base/package-root.ts';
import { writeSyntheticGraph, type SyntheticGraph } from './synthetic-graph.ts';

/** A folder for one figure's files, removed when `use` ends. `CAIRN_BENCH_TMP` says on which disk. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(process.env['CAIRN_BENCH_TMP'] ?? tmpdir(), 'cairn-bench-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A synthetic project in `folder`, its store beside it, and the environment that selects both. */
export function syntheticProject(
  folder: string,
  graph: SyntheticGraph,
): { readonly project: string; readonly env: Record<string, string> } {
  const project = join(folder, 'project');
  writeSyntheticGraph(project, graph);
  const lock = JSON.parse(readFileSync(join(packageRoot, 'flake-like.lock'), 'utf8')) as {
    inputs: Record<string, unknown>;
  };
  writeFileSync(
    join(project, 'flake-like.lock'),
    JSON.stringify({ version: 1, inputs: { sandbox: lock.inputs['sandbox'] } }, undefined, 2),
  );
  return { project, env: { CAIRN_STORE: join(folder, 'store') } };
}

/** A file that nothing can make smaller, a multiple of 4 MiB. */
export async function writeRandom(path: string, sizeBytes: number): Promise<void> {
  const chunk = randomBytes(1 << 22);
  const out = createWriteStream(path);
  for (let written = 0; written < sizeBytes; written += chunk.length) {
    if (!out.write(chunk)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}
