// TypeScript programs that tests start as processes of their own, on every Node that cairn runs on: built on the spot.

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';
import { packageRoot } from '../../store/base/package-root.ts';

/** A JavaScript file that `node` can run, made from a TypeScript one; gone after the test. */
export async function builtScript(source: string): Promise<string> {
  // Inside node_modules, so that packages are found from there.
  const outfile = join(packageRoot, 'node_modules/.cache', `cairn-${randomBytes(6).toString('hex')}.mjs`);
  onTestFinished(() => rmSync(outfile, { force: true }));
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'warning',
  });
  return outfile;
}
