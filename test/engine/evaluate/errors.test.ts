import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findConfig } from '../../../engine/evaluate/find-config.ts';
import { sourceExcerpt } from '../../../engine/evaluate/place.ts';
import type { UserError } from '../../../store/base/errors.ts';
import { configProject, configText } from '../../support/config-project.ts';
import { tempFolder } from '../../support/temp-folder.ts';

interface Mistake {
  readonly title: string;
  readonly config: string;
  readonly code: string;
  readonly message: RegExp;
  readonly hint?: RegExp;
  /** Line, or line and column. */
  readonly at: string;
}

// The outputs of configText stand on line 6.
const mistakes: readonly Mistake[] = [
  {
    title: 'a syntax error',
    config: `const a = 1;\nconst b = = 2;\n`,
    code: 'CONFIG_INVALID',
    message: /syntax error: Unexpected token/,
    at: '2:11',
  },
  {
    title: 'a missing import',
    config: `import { defineFlake } from 'cairn-build';\nimport { x } from './absent.ts';\nexport default defineFlake(x);\n`,
    code: 'CONFIG_INVALID',
    message: /"\.\/absent\.ts" cannot be found/,
    at: '2:',
  },
  {
    title: 'a missing package',
    config: `import { defineFlake } from 'cairn-build';\n\nimport { x } from 'no-such-package';\nexport default defineFlake(x);\n`,
    code: 'CONFIG_INVALID',
    message: /package "no-such-package" cannot be found/,
    at: '3:',
  },
  {
    title: "an import of cairn's own I/O",
    config: `import { openStore } from 'cairn-build/store';\nexport default openStore;\n`,
    code: 'CONFIG_INVALID',
    message: /cannot import "cairn-build\/store"/,
    at: '1:',
  },
  {
    title: "an import of somebody else's package, which has the program's name",
    config: `import { write } from 'cairn/derivations';\nexport default write;\n`,
    code: 'CONFIG_INVALID',
    message: /"cairn\/derivations" is not what this cairn is imported as/,
    hint: /from 'cairn-build\/derivations'/,
    at: '1:',
  },
  {
    title: 'more keys needed than there are',
    config: `import { defineFlake } from 'cairn-build';\nexport default defineFlake({\n  description: 'x',\n  trust: { keys: ['a:b', 'c:d', 'a:b'], need: 3 },\n  outputs: () => ({}),\n});\n`,
    code: 'CONFIG_INVALID',
    message: /trust: need is more than there are keys/,
    at: '4:',
  },
  {
    title: 'an exception',
    config: `import { defineFlake } from 'cairn-build';\nfunction thrower(): never {\n  throw new TypeError('no luck');\n}\nexport default defineFlake(thrower());\n`,
    code: 'CONFIG_INVALID',
    message: /TypeError: no luck/,
    at: '3:9',
  },
  {
    title: 'a misspelt input',
    config: configText('({ a: pins.sedd[0] })', "inputs: { sed: { kind: 'local', path: '.' } },"),
    code: 'INPUT_UNKNOWN',
    message: /^the flake has no input "sedd"$/,
    hint: /^Did you mean sed\?/,
    at: '6:',
  },
  {
    title: 'an endless recursion',
    config: `import { defineFlake } from 'cairn-build';\nconst f = (n: number): number => f(n + 1);\nexport default defineFlake(f(1));\n`,
    code: 'GRAPH_CYCLE',
    message: /^functions of the config call each other without an end: f → f$/,
    at: '2:',
  },
  {
    title: 'steps that need each other by way of functions',
    config: `import { compose, defineFlake } from 'cairn-build';\nconst app = () => compose({ name: 'app', parts: [library()] });\nconst library = () => compose({ name: 'library', parts: [app()] });\nexport default defineFlake({ description: '', outputs: () => ({ app: app() }) });\n`,
    code: 'GRAPH_CYCLE',
    message:
      /^functions of the config call each other without an end: (app → library → app|library → app → library)$/,
    at: '',
  },
  {
    title: 'await at the top level',
    config: `import { defineFlake } from 'cairn-build';\nconst x = await Promise.resolve(1);\nexport default defineFlake(x);\n`,
    code: 'CONFIG_INVALID',
    message: /await/,
    at: '2:',
  },
  {
    title: 'no default export',
    config: 'export const a = 1;\n',
    code: 'CONFIG_INVALID',
    message: /no default export/,
    at: '',
  },
  {
    title: 'another default export',
    config: 'export default { a: 1 };\n',
    code: 'CONFIG_INVALID',
    message: /something else/,
    at: '',
  },
  {
    title: 'a misspelt field of the flake',
    config: configText('{}', `enviroment: ['A'],`),
    code: 'CONFIG_INVALID',
    message: /a flake has no field "enviroment"/,
    at: '2:',
  },
  {
    title: 'an option of the wrong type',
    config: configText('{}', `mirrors: { debian: 'https://example.org' },`),
    code: 'CONFIG_INVALID',
    message: /^mirrors\.debian: .*Array/,
    at: '5:14',
  },
  {
    title: 'an unknown target',
    config: configText('{}', `targets: ['riscv64-linux'],`),
    code: 'CONFIG_INVALID',
    message: /"riscv64-linux" is not a target/,
    at: '2:',
  },
  {
    title: 'a misspelt field of a step',
    config: configText(`{ a: run({ name: 'a', layers: [], argvs: ['true'] }) }`),
    code: 'DERIVATION_INVALID',
    message: /run has no field "argvs"/,
    at: '6:',
  },
  {
    title: 'a string where a list belongs',
    config: configText(
      `{ a: fetchUrl({ name: 'a', urls: 'https://example.org/a', sha256: '${'0'.repeat(64)}' }) }`,
    ),
    code: 'DERIVATION_INVALID',
    message: /a: urls must be a list of strings, not "https:/,
    at: '6:',
  },
  {
    title: 'a missing hash',
    config: configText(`{ a: fetchUrl({ name: 'a', urls: ['https://example.org/a'] }) }`),
    code: 'DERIVATION_INVALID',
    message: /a: sha256 must be 64/,
    at: '6:',
  },
  {
    title: 'a member called __proto__ that JavaScript would drop',
    config: configText(`{ a: write({ name: 'a', files: { '__proto__': 'text' } }) }`),
    code: 'CONFIG_INVALID',
    message: /"__proto__:" in an object makes no member/,
    at: '6:73',
  },
  {
    title: 'the same, however its name is written',
    config: configText(`{ a: write({ name: 'a', files: { ...{ "\\u005f_proto__": 'text' } } }) }`),
    code: 'CONFIG_INVALID',
    message: /"__proto__:" in an object makes no member/,
    at: '6:78',
  },
  {
    title: 'half a character in a file',
    config: configText(`{ a: write({ name: 'a', files: { b: '\\ud800' } }) }`),
    code: 'DERIVATION_INVALID',
    message: /a: files\["b"\] is not Unicode text/,
    at: '6:',
  },
  {
    title: 'half a character in the description of an output',
    config: configText(`{ a: { derivation: write({ name: 'a', files: {} }), description: '\\ud800' } }`),
    code: 'CONFIG_INVALID',
    message: /^outputs\.a\.description: it has half a surrogate pair/,
    at: '6:',
  },
  {
    title: "half a character in a mirror's URL",
    config: configText('{}', `mirrors: { debian: ['\\ud800'] },`),
    code: 'CONFIG_INVALID',
    message: /^mirrors\.debian\.0: it has half a surrogate pair/,
    at: '5:',
  },
  {
    title: 'a declared variable that cannot be one',
    config: configText('{}', `environment: ['A=B'],`),
    code: 'CONFIG_INVALID',
    message: /^environment\.0: it is not the name of a variable/,
    at: '5:',
  },
  {
    title: 'a variable with a NUL',
    config: configText(`{ a: run({ name: 'a', layers: [], argv: ['x'], env: { A: 'b\\0c' } }) }`),
    code: 'DERIVATION_INVALID',
    message: /a: env\.A has a NUL in it/,
    at: '6:',
  },
  {
    title: 'a number in argv',
    config: configText(`{ a: run({ name: 'a', layers: [], argv: ['sleep', 1] }) }`),
    code: 'DERIVATION_INVALID',
    message: /a: argv\[1\] must be a string, not 1/,
    at: '6:',
  },
  {
    title: 'an environment value that is no string',
    config: configText(`{ a: run({ name: 'a', layers: [], argv: ['x'], env: { DEBUG: true } }) }`),
    code: 'DERIVATION_INVALID',
    message: /a: env\.DEBUG must be a string, not true/,
    at: '6:',
  },
  {
    title: 'an input that is no derivation',
    config: configText(`{ a: run({ name: 'a', layers: ['busybox'], argv: ['x'] }) }`),
    code: 'DERIVATION_INVALID',
    message: /a: layers\[0\] is not a derivation, but "busybox"/,
    at: '6:',
  },
  {
    title: 'an output that is no derivation',
    config: configText(`{\n  a: 'busybox',\n}`),
    code: 'CONFIG_INVALID',
    message: /^outputs\.a: it is not a derivation/,
    at: '7:3',
  },
  {
    title: 'outputs that are promised',
    config: configText(`Promise.resolve({})`),
    code: 'CONFIG_INVALID',
    message: /not a promise/,
    at: '6:3',
  },
  {
    title: 'an undeclared environment variable',
    config: configText(`{ a: write({ name: 'a', files: { a: env.HOME } }) }`),
    code: 'CONFIG_IMPURE',
    message: /HOME is not declared/,
    at: '6:',
  },
  {
    title: 'an input that is not locked',
    config: `import { defineFlake, fetchPin } from 'cairn-build';\nexport default defineFlake({\n  description: '',\n  inputs: {\n    sed: { kind: 'debian-source', suite: 'trixie', package: 'sed' },\n  },\n  outputs: ({ pins }) => ({ sed: fetchPin(pins.sed[0]) }),\n});\n`,
    code: 'LOCK_MISSING_PIN',
    message: /input "sed" is not in the lock file/,
    at: '5:5',
  },
  {
    title: 'an input of an unknown kind',
    config: `import { defineFlake } from 'cairn-build';\nexport default defineFlake({\n  description: '',\n  inputs: {\n    sed: { kind: 'debian', suite: 'trixie', package: 'sed' },\n  },\n  outputs: () => ({}),\n});\n`,
    code: 'CONFIG_INVALID',
    message: /^inputs\.sed\.kind: /,
    at: '5:12',
  },
];

test.each(mistakes)(
  '$title is one clear error with its place',
  async ({ config, code, message, at, hint = /\S/ }) => {
    const { failure, configPath } = await configProject({ 'flake-like.config.ts': config });
    const error = await failure();
    expect(error).toMatchObject({ name: 'UserError', code });
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(`${error.where}:`).toContain(at === '' ? configPath : `${configPath}:${at}`);
  },
);

test('a derivation put together by hand is refused, since nothing has checked it', async () => {
  const { failure } = await configProject({
    'flake-like.config.ts': configText(`{ a: { ...write({ name: 'a', files: {} }), name: 1 } }`),
  });
  expect(await failure()).toMatchObject({
    code: 'DERIVATION_INVALID',
    message: 'derivation "1" was put together by hand',
  });
});

test('a cycle is reported as its path', async () => {
  const { failure } = await configProject({
    'flake-like.config.ts': `import { defineFlake, run, type Derivation } from 'cairn-build';
const step = (name: string, ...layers: Derivation[]) => run({ name, layers, argv: ['x'] });
const a = step('a');
const c = step('c', step('b', a));
(a.layers as unknown[]).push({ derivation: c, output: 'out', subpath: '' });
export default defineFlake({ description: '', inputs: {}, outputs: () => ({ top: step('top', c) }) });
`,
  });
  expect(await failure()).toMatchObject({
    code: 'GRAPH_CYCLE',
    message: 'these derivations need each other: c → a → b → c',
  });
});

test('a place can be shown with a caret under its column', async () => {
  const { configPath, write } = await configProject({ 'flake-like.config.ts': '' });
  write('flake-like.config.ts', 'first\n\tconst a = Date.now();\n');
  expect(sourceExcerpt(`${configPath}:2:17`)).toBe('2 | \tconst a = Date.now();\n  | \t               ^');
  expect(sourceExcerpt(`${configPath}:1`)).toBe('1 | first');
  expect(sourceExcerpt(`${configPath}:9:1`)).toBeUndefined();
  expect(sourceExcerpt('/nowhere/at/all:1:1')).toBeUndefined();
});

test('the nearest config at or above a folder is found', async () => {
  const { folder, configPath, write } = await configProject({ 'flake-like.config.ts': '' });
  write('a/b/c.txt', '');
  expect(findConfig(folder)).toBe(configPath);
  expect(findConfig(join(folder, 'a/b'))).toBe(configPath);
  write('a/flake-like.config.ts', '');
  expect(findConfig(join(folder, 'a/b'))).toBe(join(folder, 'a/flake-like.config.ts'));
});

test('without a config there is an error that says how to have one', () => {
  let error: unknown;
  try {
    findConfig(tempFolder());
  } catch (thrown) {
    error = thrown;
  }
  expect(error as UserError).toMatchObject({ code: 'CONFIG_MISSING' });
  expect((error as UserError).hint).toContain('--config');
});
