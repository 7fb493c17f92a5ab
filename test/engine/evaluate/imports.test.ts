import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../store/base/package-root.ts';
import { configProject, idOf } from '../../support/config-project.ts';

const flakeOf = (imports: string, description: string): string => `import { defineFlake } from 'cairn-build';
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

test('JSON that is not JSON is reported with its name and line', async () => {
  const { failure, folder } = await configProject({
    'a.json': '{"a": }',
    'flake-like.config.ts': flakeOf(`import a from './a.json';`, 'a'),
  });
  expect(await failure()).toMatchObject({ code: 'CONFIG_INVALID', where: `${join(folder, 'a.json')}:1` });
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
    'flake-like.config.ts': `import { defineFlake, write } from 'cairn-build';
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

interface Circle {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly names: string;
  readonly circle: string;
  readonly at: string;
}

const circles: readonly Circle[] = [
  {
    title: 'two files that read each other',
    files: {
      'a.ts': `import { b } from './b.ts';\nexport const a = \`\${b}a\`;`,
      'b.ts': `import { a } from './a.ts';\nexport const b = \`\${a}b\`;`,
    },
    names: '"a"',
    circle: 'a.ts → b.ts → a.ts',
    at: 'b.ts:2',
  },
  {
    title: 'a file that reads itself',
    files: { 'a.ts': `import { a as b } from './a.ts';\nexport const a = String(b);` },
    names: '"a"',
    circle: 'a.ts → a.ts',
    at: 'a.ts:2',
  },
  {
    title: 'a function that is called too early',
    files: {
      'a.ts': `import './b.ts';\nexport function twice(x: number) { return base * x; }\nconst base = 2;\nexport const a = twice(1);`,
      'b.ts': `import { a, twice } from './a.ts';\nexport const b = () => twice(a);\nb();`,
    },
    names: '"a"',
    circle: 'a.ts → b.ts → a.ts',
    at: 'b.ts:2',
  },
  {
    title: 'a class and a default export',
    files: {
      'a.ts': `import './b.ts';\nexport default class {}\nexport const a = 1;`,
      'b.ts': `import Base from './a.ts';\nexport class B extends Base {}`,
    },
    names: '"default"',
    circle: 'a.ts → b.ts → a.ts',
    at: 'b.ts:2',
  },
  {
    title: 'a re-export in between',
    files: {
      'a.ts': `import { b } from './b.ts';\nexport const a = b;`,
      'lib/index.ts': `export { a } from '../a.ts';`,
      'b.ts': `import * as lib from './lib';\nexport const b = lib.a;`,
    },
    names: '"a"',
    circle: 'a.ts → b.ts → lib/index.ts → a.ts',
    at: 'lib/index.ts:1',
  },
  {
    title: 'a re-export of everything',
    files: {
      'a.ts': `export * from './b.ts';\nexport const a = 1;`,
      'b.ts': `export * from './a.ts';\nexport const b = 2;`,
    },
    names: 'what it exports',
    circle: 'a.ts → b.ts → a.ts',
    at: 'b.ts:1',
  },
  {
    title: 'the config itself',
    files: { 'a.ts': `import flake from './flake-like.config.ts';\nexport const a = flake.description;` },
    names: '"default"',
    circle: 'flake-like.config.ts → a.ts → flake-like.config.ts',
    at: 'a.ts:2',
  },
  {
    title: 'CommonJS files',
    files: {
      'a.ts': `import c from './c.cjs';\nexport const a = c.c;`,
      'c.cjs': `const { a } = require('./a.ts');\nexports.c = a;`,
    },
    names: '"a"',
    circle: 'a.ts → c.cjs → a.ts',
    at: 'c.cjs:1',
  },
];

test.each(circles)(
  'files in a circle are an error naming it: $title',
  async ({ files, names, circle, at }) => {
    const project = await configProject({
      ...files,
      'flake-like.config.ts': flakeOf(`import { a } from './a.ts';`, 'a'),
    });
    const error = await project.failure();
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(error.message).toContain(`${names} is not there yet`);
    expect(error.message).toMatch(new RegExp(`: ${circle}$`));
    expect(error.where).toContain(`${project.folder}/${at}:`);
  },
);

test('files in a circle are none the worse for it when they use each other later, or functions only', async () => {
  const { evaluate } = await configProject({
    'a.ts': `import { isOdd, half } from './b.ts';
export function isEven(n: number): boolean { return n === 0 || isOdd(n - 1); }
export const two = 2;
export const a = [isEven(10), half(5)];`,
    'b.ts': `import { isEven, two } from './a.ts';
import * as all from './a.ts';
export const early = isEven(0) && all.isEven(0);
export function isOdd(n: number): boolean { return n !== 0 && isEven(n - 1); }
export const half = (n: number) => n / two;`,
    'flake-like.config.ts': flakeOf(`import { a } from './a.ts';`, 'a'),
  });
  expect((await evaluate()).flake.description).toBe('true,2.5');
});

test.each([
  ['of a file', `import { nope } from './a.ts';`, 'a.ts does not export "nope"'],
  ['that is the default one', `import nope from './a.ts';`, 'a.ts does not export "default"'],
  ['of cairn', `import { nope } from 'cairn-build';`, 'cairn-build does not export "nope"'],
  ['of a module of Node.js', `import { nope } from 'node:path';`, 'node:path does not export "nope"'],
])('an export %s that is not there is an error, as for ES modules', async (_, line, message) => {
  const { failure, configPath } = await configProject({
    'a.ts': 'export const a = 1;',
    'flake-like.config.ts': flakeOf(line, '`${nope}`'),
  });
  const error = await failure();
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  expect(error.message).toContain(message);
  expect(error.where).toContain(`${configPath}:3:`);
});
