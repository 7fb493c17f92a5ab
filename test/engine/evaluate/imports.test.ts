import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../store/base/package-root.ts';
import { configProject, idOf } from '../../support/config-project.ts';

const flakeOf = (imports: string, description: string): string => `import { defineFlake } from 'cairn';
${imports}
export default defineFlake({ description: String(${description}), inputs: {}, outputs: () => ({}) });
`;

interface Import {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly imports: string;
  readonly value: string;
  readonly expected: string;
}

const imports: readonly Import[] = [
  {
    title: 'TypeScript with types, enums and parameter properties',
    files: {
      'a.ts': `export enum Kind { A = 'kind a' }
export interface Named { name: string }
class Box { constructor(readonly value: Kind) {} }
export const kind: Kind = new Box(Kind.A).value satisfies Kind;`,
    },
    imports: `import { kind, type Named } from './a.ts';\nconst named: Named = { name: kind };`,
    value: 'named.name',
    expected: 'kind a',
  },
  {
    title: 'a .ts file named .js, as TypeScript does',
    files: { 'a.ts': 'export const a: number = 1;' },
    imports: `import { a } from './a.js';`,
    value: 'a',
    expected: '1',
  },
  {
    title: 'a folder',
    files: { 'lib/index.ts': 'export default 2;' },
    imports: `import a from './lib';`,
    value: 'a',
    expected: '2',
  },
  {
    title: 'a CommonJS file',
    files: { 'a.cjs': 'exports.a = 3; exports.self = module.exports === exports;' },
    imports: `import { a, self } from './a.cjs';`,
    value: '[a, self]',
    expected: '3,true',
  },
  {
    title: 'JSON',
    files: { 'a.json': '{"a": [4]}' },
    imports: `import data from './a.json' with { type: 'json' };`,
    value: 'data.a',
    expected: '4',
  },
  {
    title: 'any other file as its text',
    files: { 'fix.patch': '--- a\n+++ b\n' },
    imports: `import patch from './fix.patch' with { type: 'text' };`,
    value: 'JSON.stringify(patch)',
    expected: '"--- a\\n+++ b\\n"',
  },
  {
    title: 'files that import each other',
    files: {
      'a.ts': `import { b } from './b.ts';\nexport const a = 'a';\nexport const both = () => a + b();`,
      'b.ts': `import { a } from './a.ts';\nexport const b = () => 'b' + a;`,
    },
    imports: `import { both } from './a.ts';`,
    value: 'both()',
    expected: 'aba',
  },
  {
    title: 'what another file exports again',
    files: { 'a.ts': `export * from './b.ts';\nexport * as c from './b.ts';`, 'b.ts': 'export const b = 5;' },
    imports: `import { b, c } from './a.ts';`,
    value: 'b + c.b',
    expected: '10',
  },
  {
    title: 'an installed CommonJS package',
    files: {
      'node_modules/pad/package.json': '{"name": "pad", "main": "lib/pad.js"}',
      'node_modules/pad/lib/pad.js': 'module.exports = (text) => require("./space") + text;',
      'node_modules/pad/lib/space.js': 'module.exports = "_";',
    },
    imports: `import pad from 'pad';`,
    value: `pad('x')`,
    expected: '_x',
  },
  {
    title: 'an installed package of ES modules with exports',
    files: {
      'node_modules/@scope/esm/package.json':
        '{"name": "@scope/esm", "type": "module", "exports": {"./deep": {"import": "./src/deep.js"}}}',
      'node_modules/@scope/esm/src/deep.js': 'export const deep = import.meta.url.endsWith("/src/deep.js");',
    },
    imports: `import { deep } from '@scope/esm/deep';`,
    value: 'deep',
    expected: 'true',
  },
];

test.each(imports)('a config can import $title', async ({ files, imports, value, expected }) => {
  const project = await configProject({ ...files, 'flake-like.config.ts': flakeOf(imports, value) });
  const first = await project.evaluate();
  expect(first.flake.description).toBe(expected);
  const again = await project.evaluate();
  expect(again).toMatchObject({ isCached: true, flake: { description: expected } });
});

test('an installed package is as pure as the config', async () => {
  const { failure, folder } = await configProject({
    'node_modules/clock/package.json': '{"name": "clock"}',
    'node_modules/clock/index.js': '// a clock\nmodule.exports = () => Date.now();',
    'flake-like.config.ts': flakeOf(`import clock from 'clock';`, 'clock()'),
  });
  // The place is where the author's own file called it.
  expect(await failure()).toMatchObject({
    code: 'CONFIG_IMPURE',
    where: `${folder}/flake-like.config.ts:3:55`,
  });
});

test('a package that only cairn has installed is not there', async () => {
  const { failure } = await configProject({
    'flake-like.config.ts': flakeOf(`import picomatch from 'picomatch';`, 'picomatch'),
  });
  expect(await failure()).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/"picomatch" cannot be found/) as string,
  });
});

test('files that are not text cannot be imported', async () => {
  const { failure, folder } = await configProject({
    'flake-like.config.ts': flakeOf(`import a from './a.bin';`, 'a'),
  });
  writeFileSync(join(folder, 'a.bin'), Buffer.from([0xff, 0xfe]));
  expect(await failure()).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/a\.bin is not UTF-8 text/) as string,
  });
});

test('JSON that is not JSON is reported with its name', async () => {
  const { failure, folder } = await configProject({
    'a.json': '{"a": }',
    'flake-like.config.ts': flakeOf(`import a from './a.json';`, 'a'),
  });
  expect(await failure()).toMatchObject({ code: 'CONFIG_INVALID', where: join(folder, 'a.json') });
});

test('a config in cairn’s own checkout may import its sources', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': `import { defineFlake, write } from '${packageRoot}/engine/model/index.ts';
export default defineFlake({
  description: '',
  inputs: {},
  outputs: () => ({ a: write({ name: 'a', files: { a: 'a' } }) }),
});
`,
  });
  const { evaluate: evaluateBuilt } = await configProject({
    'flake-like.config.ts': `import { defineFlake, write } from 'cairn';
export default defineFlake({
  description: '',
  inputs: {},
  outputs: () => ({ a: write({ name: 'a', files: { a: 'a' } }) }),
});
`,
  });
  expect(idOf(await evaluate(), 'a')).toBe(idOf(await evaluateBuilt(), 'a'));
});

test('an error of cairn’s sources is reported where the config called them', async () => {
  const { failure, configPath } = await configProject({
    'flake-like.config.ts': `import { defineFlake, run } from '${packageRoot}/engine/model/index.ts';

export default defineFlake({ description: '', inputs: {}, outputs: () => ({ a: run({ name: 'a b' } as never) }) });
`,
  });
  expect(await failure()).toMatchObject({
    code: 'DERIVATION_INVALID',
    message: '"a b" is not a name',
    where: expect.stringContaining(`${configPath}:3:`) as string,
  });
});

test('an evaluation follows a link that leads elsewhere', async () => {
  const project = await configProject({
    'one/package.json': '{"name": "linked"}',
    'one/index.js': 'exports.n = 1;',
    'two/package.json': '{"name": "linked"}',
    'two/index.js': 'exports.n = 1;',
    'flake-like.config.ts': flakeOf(`import { n } from 'linked';`, 'n'),
  });
  const link = join(project.folder, 'node_modules/linked');
  mkdirSync(join(project.folder, 'node_modules'));
  symlinkSync('../one', link);
  expect((await project.evaluate()).isCached).toBe(false);
  expect((await project.evaluate()).isCached).toBe(true);
  project.remove('node_modules/linked');
  symlinkSync('../two', link);
  expect((await project.evaluate()).isCached).toBe(false);
});
