// Builds dist/: one bundle per entry point with shared chunks (fast to start), and the types beside them. It is built
// aside and swapped in, so that a cairn that is running meanwhile, or a failed build, finds a whole dist/.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const fresh = `dist.${process.pid}.new`;
const old = `dist.${process.pid}.old`;
const entries = [
  'cli/main.ts',
  'engine/model/index.ts',
  'engine/index.ts',
  'store/index.ts',
  'derivations/index.ts',
  'test/bench/main.ts',
  'test/bench/load-clients.ts',
  'test/bench/load-pushers.ts',
];
// What a config imports as text is text in its own package set, too.
const textLoaders = { '.py': 'text', '.sh': 'text' };
const workers = ['store/workers', 'engine/workers'].flatMap(filesIn);

try {
  await build({
    entryPoints: [...entries, ...workers],
    outdir: fresh,
    outbase: '.',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    loader: textLoaders,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'linked',
    logLevel: 'warning',
  });
  chmodSync(join(fresh, 'cli/main.js'), 0o755);
  const types = ['-p', 'tsconfig.types.json', '--outDir', join(fresh, 'types')];
  process.exitCode = spawnSync('node_modules/.bin/tsc', types, { stdio: 'inherit' }).status ?? 1;
  if (existsSync('dist')) renameSync('dist', old);
  renameSync(fresh, 'dist');
} finally {
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}
