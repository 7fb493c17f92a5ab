import { expect, test } from 'vitest';
import type { Write } from '../../../engine/model/derivation.ts';
import { configProject, configText } from '../../support/config-project.ts';

// Each expression stands on line 3, after `const value = `.
const impureExpressions: readonly (readonly [expression: string, what: RegExp, column: number])[] = [
  ['Date.now()', /Date\.now\(\)/, 20],
  ['new Date()', /new Date\(\)/, 15],
  ['Date()', /Date\(\)/, 15],
  ['new Date(2024, 1, 1)', /time zone/, 15],
  ['new Date("2024-01-01T00:00:00")', /time zone/, 15],
  ['new Date([2020, 1, 1])', /time zone/, 15],
  ['new Date({ toString: () => "2020-01-01 10:00" })', /time zone/, 15],
  ['new Date("01-01-2020")', /01-01-2020.*time zone/, 15],
  ['new Date("2020/01/01 (Z")', /time zone/, 15],
  ['new Date("2020-01-01T00:00 ")', /time zone/, 15],
  ['Date.parse([2020, 1, 1] as any)', /time zone/, 20],
  ['Date.parse("Jan 1, 2020 1200-0500")', /time zone/, 20],
  ['new (class extends Date {})("1/1/2020")', /time zone/, 20],
  ['new (new Date(0).constructor as any)()', /new Date\(\)/, 15],
  ['`${new Date(0)}`', /toString.*time zone/, 18],
  ['new Date(0).getTimezoneOffset()', /getTimezoneOffset/, 27],
  ['structuredClone(new Date(0)).getHours()', /getHours.*time zone/, 44],
  [
    'structuredClone({ a: [new Map([[1, new Date(0)]])] }).a[0].get(1)!.toLocaleString()',
    /toLocaleString/,
    82,
  ],
  ['structuredClone([1.5]).toLocaleString()', /toLocaleString/, 38],
  ['new Float64Array(1).toLocaleString()', /toLocaleString/, 35],
  ['Date.parse("1 January 2024")', /time zone/, 20],
  ['new Date(0).getHours()', /getHours.*time zone/, 27],
  ['String(new Date(0))', /toString.*time zone/, 15],
  ['new Date(0).toLocaleDateString()', /toLocaleDateString/, 27],
  ['Math.random()', /Math\.random\(\)/, 20],
  ['performance.now()', /performance/, 15],
  ['crypto.randomUUID()', /crypto/, 15],
  ['process.env.HOME', /process/, 15],
  ['process.platform', /process/, 15],
  ['fetch("https://example.org")', /fetch/, 15],
  ['setTimeout(() => 1, 1)', /setTimeout/, 15],
  ['new WeakRef({})', /WeakRef/, 15],
  ['Intl.Collator().resolvedOptions().locale', /Intl/, 15],
  ['"a".localeCompare("b")', /localeCompare/, 19],
  ['(1.5).toLocaleString()', /toLocaleString/, 21],
  ['"i".toLocaleUpperCase()', /toLocaleUpperCase/, 19],
  ['[1.5].toLocaleString()', /toLocaleString/, 21],
  ['Buffer.from("a")', /Buffer/, 15],
  ['require("node:fs").readdirSync("/")', /node:fs/, 15],
  ['require("os").hostname()', /"os"/, 15],
  ['require("node:crypto")', /node:crypto/, 15],
  ['require("node:path").resolve("here")', /current folder/, 36],
];

test.each(impureExpressions)(
  'a config that evaluates %s is refused with its line and column',
  async (expression, what, column) => {
    const { failure, configPath } = await configProject({
      'flake-like.config.ts': `import { defineFlake, write } from 'cairn-build';

const value = ${expression};
export default defineFlake({ description: '', inputs: {}, outputs: () => ({}) });
export const files = write({ name: 'x', files: { x: String(value) } });
`,
    });
    const error = await failure();
    expect(error).toMatchObject({ code: 'CONFIG_IMPURE', fault: 'input' });
    expect(error.message).toMatch(what);
    expect(error.hint).toMatch(/\.$/);
    expect(error.where).toBe(`${configPath}:3:${column}`);
  },
);

test('an impure access in an imported file is reported there', async () => {
  const { failure, folder } = await configProject({
    'flake-like.config.ts': `import { defineFlake, write } from 'cairn-build';
import { stamp } from './lib/stamp.ts';
export default defineFlake({
  description: '',
  inputs: {},
  outputs: () => ({ a: write({ name: 'a', files: { a: stamp() } }) }),
});
`,
    'lib/stamp.ts': `interface Unused {
  a: string;
}
export function stamp(): string {
  return \`\${Date.now()}\`;
}
`,
  });
  expect(await failure()).toMatchObject({ code: 'CONFIG_IMPURE', where: `${folder}/lib/stamp.ts:5:18` });
});

test('importing a module of Node.js that does I/O is refused where it is imported', async () => {
  const { failure, configPath } = await configProject({
    'flake-like.config.ts': `import { defineFlake } from 'cairn-build';
import { readFileSync } from 'node:fs';

export default defineFlake({ description: readFileSync('/etc/hostname', 'utf8'), inputs: {}, outputs: () => ({}) });
`,
  });
  const error = await failure();
  expect(error).toMatchObject({
    code: 'CONFIG_IMPURE',
    message: expect.stringContaining('node:fs') as string,
  });
  expect(error.where).toMatch(`${configPath}:2:`);
  expect(error.hint).toContain("import text from './file.txt'");
});

test('explicit times, paths, encodings and URLs are there', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': `import { defineFlake, write } from 'cairn-build';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const facts = [
  new Date('2024-02-29T12:00:00Z').toISOString(),
  new Date(1709208000000).getUTCDate(),
  new Date(Date.UTC(2024, 1, 29)).getTime(),
  Date.parse('2024-02-29'),
  Date.parse('2024-02-29T12:00+01:00'),
  Date.parse('Thu, 29 Feb 2024 12:00:00 GMT'),
  new Date(new Date(5)).getTime(),
  structuredClone(new Date(6)).getTime(),
  structuredClone(new Map([['a', [1]]])) instanceof Map,
  new Date(0) instanceof Date,
  join('a', '../b'),
  resolve('/a', 'b', '/c', 'd'),
  fileURLToPath('file:///a%20b'),
  new TextEncoder().encode('ä').length,
  atob(btoa('x')),
  new URL('https://example.org/a/../b').href,
  typeof process,
  typeof globalThis.fetch,
];
export default defineFlake({
  description: facts.join(' '),
  inputs: {},
  outputs: () => ({ bytes: write({ name: 'bytes', files: { b: { bytes: new TextEncoder().encode('b') } } }) }),
});
`,
  });
  const { flake, outputs } = await evaluate();
  expect(flake.description).toBe(
    '2024-02-29T12:00:00.000Z 29 1709164800000 1709164800000 1709204400000 1709208000000 5 6 true true b /c/d /a b 2 x https://example.org/b undefined undefined',
  );
  expect(outputs.size).toBe(1);
});

test('what a config prints goes to whoever asks for it', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': `import { defineFlake } from 'cairn-build';
console.log('evaluating', { a: 1 });
export default defineFlake({ description: '', inputs: {}, outputs: () => ({}) });
`,
  });
  const printed: string[] = [];
  await evaluate({ onPrint: (text) => printed.push(text) });
  expect(printed).toEqual(['evaluating { a: 1 }\n']);
});

test('a loop that does not end is ended', async () => {
  const { failure } = await configProject({
    'flake-like.config.ts': `import { defineFlake } from 'cairn-build';
for (;;);
export default defineFlake({ description: '', inputs: {}, outputs: () => ({}) });
`,
  });
  expect(await failure({ limitMs: 50 })).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('too long') as string,
  });
});

test('a text that has __proto__: in it, and an object without a prototype, are what they are', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': configText(
      `{ a: write({ name: 'a', files: { ...{ __proto__: null, json: '{"__proto__": 1}' }, ...JSON.parse('{"__proto__": "text"}') /* __proto__: */ } }) }`,
    ),
  });
  const { outputs, steps } = await evaluate();
  const { files } = steps(outputs.get('a@x86_64-linux')!.id).derivation as Write;
  expect(Object.entries(files).sort()).toEqual([
    ['__proto__', { text: 'text' }],
    ['json', { text: '{"__proto__": 1}' }],
  ]);
});
