// A project of somebody else, elsewhere on disk, that uses cairn as it is installed: the built files, in a process of
// its own.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../store/base/package-root.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const builtFile = (name: string): string => join(packageRoot, 'dist', name);

/** A config that uses the model and, when `packages` are built, the package set. */
function writeProject(): string {
  const folder = tempFolder('elsewhere');
  mkdirSync(join(folder, 'lib'));
  writeFileSync(
    join(folder, 'flake-like.config.ts'),
    `import { defineFlake, run } from 'cairn-build';
import * as packages from 'cairn-build/derivations';
import { shell } from './lib/shell.ts';

export default defineFlake({
  description: \`\${Object.keys(packages).length > 0}\`,
  inputs: {},
  outputs: ({ target }) => ({ hello: run({ name: 'hello', target, layers: [shell], argv: ['/bin/hello'] }) }),
});
`,
  );
  writeFileSync(
    join(folder, 'lib/shell.ts'),
    `import { write, type Write } from 'cairn-build';
export const shell: Write = write({ name: 'shell', files: { 'bin/hello': { text: 'İıiI ß', executable: true } } });
`,
  );
  return folder;
}

interface Conditions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly script?: string;
}

/** Runs a script that evaluates the config with the built engine. Returns what it printed. */
async function evaluateElsewhere(folder: string, { cwd, env = {}, script = '' }: Conditions) {
  const program = `
    const { evaluate } = await import(${JSON.stringify(pathToFileURL(builtFile('engine/index.js')).href)});
    const { openStore } = await import(${JSON.stringify(pathToFileURL(builtFile('store/index.js')).href)});
    const store = await openStore(${JSON.stringify(join(folder, 'store'))});
    const configPath = ${JSON.stringify(join(folder, 'flake-like.config.ts'))};
    ${script}
    const { outputs, flake, isCached } = await evaluate({ configPath, store, env: process.env, names: [] });
    console.log(JSON.stringify({ id: outputs.get('hello@x86_64-linux').id, description: flake.description, isCached }));
    await store.close();
  `;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    { cwd, env: { ...process.env, ...env } },
  );
  const result = JSON.parse(stdout) as { id: string; description: string; isCached: boolean };
  return { ...result, stderr };
}

test('a project that has cairn nowhere near imports the one that runs, without a warning', async () => {
  const folder = writeProject();
  const first = await evaluateElsewhere(folder, { cwd: folder });
  expect(first).toMatchObject({ description: 'true', isCached: false, stderr: '' });
  expect(await evaluateElsewhere(folder, { cwd: folder })).toMatchObject({ id: first.id, isCached: true });
});

test('ids are the same in another folder, locale, time zone and under another umask', async () => {
  const [here, there] = [writeProject(), writeProject()];
  const { id } = await evaluateElsewhere(here, { cwd: here });
  const elsewhere = await evaluateElsewhere(there, {
    cwd: '/',
    env: { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', TZ: 'Asia/Kolkata', HOME: '/nonexistent' },
    script: 'process.umask(0o077);',
  });
  expect(elsewhere).toMatchObject({ id, isCached: false });
});

test('Ctrl-C ends a config that does not', async () => {
  const folder = writeProject();
  writeFileSync(join(folder, 'flake-like.config.ts'), 'for (;;) console.log("turning");\n');
  const interrupted = evaluateElsewhere(folder, {
    cwd: folder,
    script: `
      process.on('SIGINT', () => undefined);
      let isSent = false;
      const onPrint = () => { if (!isSent) process.kill(process.pid, 'SIGINT'); isSent = true; };
      const error = await evaluate({ configPath, store, env: {}, names: [], onPrint }).catch((error) => error);
      console.log(JSON.stringify({ id: error.name }));
      process.exit();
    `,
  });
  expect(await interrupted).toMatchObject({ id: 'AbortError' });
});

test('what an evaluation that is kept needs, loads neither Babel nor a validator', () => {
  const loaded = new Set<string>();
  const follow = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    if (!file.startsWith(packageRoot)) return;
    const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^;]*?["']([^"'\n]+)["'];$/gm);
    for (const [, specifier = ''] of imports)
      follow(specifier.startsWith('.') ? join(file, '..', specifier) : specifier);
  };
  follow(builtFile('engine/index.js'));
  expect(loaded.size).toBeGreaterThan(5);
  expect([...loaded].filter((name) => /jiti|babel|valibot/.test(name))).toEqual([]);
});
