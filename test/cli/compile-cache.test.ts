// Compile caches on the built command line: what it says of them, and how a person does without. ccache is the real one; the
// compiler is a script, since nothing of it matters here.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { busyboxFlake, cairnProject, type CairnProject } from '../support/cairn-project.ts';
import { unpackCcache } from '../support/compile-project.ts';

const compiler = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    -E) preprocess=yes ;;
    -o) shift; out=$1 ;;
    -x) shift ;;
    -*) ;;
    *) text=$1 ;;
  esac
  shift
done
if [ -z "$preprocess" ]; then echo compiled > "$out"; fi
cat "$text" >> "\${out:-/dev/stdout}"
`;

const flake = busyboxFlake(`{ compiled: run({
  name: 'compiled',
  layers: [shell, write({ name: 'compiler', files: { 'usr/bin/gcc': { text: ${JSON.stringify(compiler)}, executable: true } } })],
  inputs: { '/source': localFolder({ name: 'source', path: 'source' }) },
  argv: ['/bin/sh', '-euc', 'for name in a b; do gcc -c -o $name.o /source/$name.c; done; cat a.o b.o > $out/program'],
  compileCache: { tool: localFolder({ name: 'ccache', path: 'ccache' }), compilers: ['/usr/bin/gcc'], sources: ['/source'] },
}) }`);

async function compiledProject(): Promise<CairnProject> {
  const project = cairnProject({ ...flake, 'source/a.c': 'int a;\n', 'source/b.c': 'int b;\n' });
  await unpackCcache(join(project.folder, 'ccache'));
  return project;
}

test('hits and misses are in the summary, what was made so is unproven, and a person may do without', async () => {
  const project = await compiledProject();
  const first = await project.run(['build', 'compiled']);
  expect(first.stderr).toMatch(/built compiled@x86_64-linux \(.*, compile cache: 0 hits, 2 misses\)/);
  expect(first.stderr).toMatch(/^compile cache: 0 hits, 2 misses$/m);
  expect(first.stdout).toMatch(/^compiled@x86_64-linux .* built in .*, incrementally$/m);
  project.write('source/a.c', 'int a2;\n');
  const { events } = await project.run(['build', 'compiled', '--json']);
  const compileCache = { hits: 1, misses: 1 };
  expect(events.find(({ type, name }) => type === 'step-finished' && name === 'compiled')).toMatchObject({
    compileCache,
  });
  expect(events.at(-1)).toMatchObject({ type: 'done', compileCache });
  const used = await project.run(['store', 'du']);
  expect(used.stdout).toMatch(/^compile-caches .*\n {2}compiled@x86_64-linux .* used today$/m);
  const clean = await project.run(['build', 'compiled', '--clean']);
  expect([clean.status, clean.stderr.includes('compile cache')]).toEqual([0, false]);
  expect(clean.stdout).toMatch(/^compiled@x86_64-linux .*(?<!incrementally)$/m);
  project.write('source/a.c', 'int a3;\n');
  const without = await project.run(['build', 'compiled', '--no-compile-cache']);
  expect([without.status, without.stderr.includes('compile cache')]).toEqual([0, false]);
  project.write('source/a.c', 'int a4;\n');
  const none = await project.run(['build', 'compiled'], { env: { CAIRN_COMPILE_CACHE_SIZE: '0' } });
  expect([none.status, none.stderr.includes('compile cache')]).toEqual([0, false]);
  const mistyped = await project.run(['build', 'compiled'], { env: { CAIRN_COMPILE_CACHE_SIZE: 'much' } });
  expect([mistyped.status, mistyped.stderr]).toEqual([
    2,
    expect.stringContaining('CAIRN_COMPILE_CACHE_SIZE is no size: much') as string,
  ]);
});
