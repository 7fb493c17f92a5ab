// What is wrong with one output concerns those who ask for it, and nobody else.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOutput } from '../../../engine/evaluate/evaluation.ts';
import { run, write } from '../../../engine/model/index.ts';
import { configProject, configText, idOf, type ConfigProject } from '../../support/config-project.ts';

const good = `good: write({ name: 'good', files: { a: 'x' } })`;

function project(outputs: string, { before = '', inputs = '{}' } = {}): Promise<ConfigProject> {
  return configProject({
    'flake-like.config.ts': `import { compose, defineFlake, fetchPin, from, localFolder, run, unpackPin, composePackages, write } from 'cairn-build';
${before}
export default defineFlake({
  description: '',
  inputs: ${inputs},
  outputs: ({ pins }) => (${outputs}),
});
`,
  });
}

const sed = `{ sed: { kind: 'debian-source', suite: 'trixie', package: 'sed' } }`;

interface Fault {
  readonly title: string;
  /** The value of the output `bad`. */
  readonly bad: string;
  readonly before?: string;
  readonly inputs?: string;
  readonly code: string;
  readonly message: RegExp;
}

const wrong = `const wrong = run({ name: 'wrong', layers: [], argv: [] });`;
const empty = { code: 'DERIVATION_INVALID', message: /^wrong: argv is empty$/ };
const unlocked = { inputs: sed, code: 'LOCK_MISSING_PIN', message: /^input "sed" is not in the lock file$/ };

const faults: readonly Fault[] = [
  { title: 'a wrong derivation', bad: `run({ name: 'wrong', layers: [], argv: [] })`, ...empty },
  { title: 'one made at the top of the config', before: wrong, bad: 'wrong', ...empty },
  { title: 'a layer', before: wrong, bad: `run({ name: 'b', layers: [wrong], argv: ['x'] })`, ...empty },
  {
    title: 'an input',
    before: wrong,
    bad: `run({ name: 'b', layers: [], inputs: { '/in': from(wrong, { output: 'dev' }) }, argv: ['x'] })`,
    ...empty,
  },
  {
    title: 'a part of a part',
    before: wrong,
    bad: `compose({ name: 'b', parts: [compose({ name: 'c', parts: [{ input: wrong, at: 'usr' }] })] })`,
    ...empty,
  },
  { title: 'what is described', before: wrong, bad: `{ derivation: wrong, description: 'x' }`, ...empty },
  { title: 'a pin that is not locked', bad: 'fetchPin(pins.sed[0])', ...unlocked },
  { title: 'its content', bad: `compose({ name: 'b', parts: [unpackPin(pins.sed[0])] })`, ...unlocked },
  { title: 'packages that are not locked', bad: `composePackages('b', pins.sed)`, ...unlocked },
  {
    title: 'a list of them',
    bad: `run({ name: 'b', layers: [...pins.sed.map((pin) => unpackPin(pin))], argv: ['x'] })`,
    ...unlocked,
  },
  {
    title: 'the very list',
    bad: `run({ name: 'b', layers: pins.sed.map((pin) => unpackPin(pin)), argv: ['x'] })`,
    ...unlocked,
  },
  {
    title: 'a folder that is not there',
    bad: `compose({ name: 'b', parts: [localFolder({ name: 'src', path: 'absent' })] })`,
    code: 'SOURCE_MISSING',
    message: /absent/,
  },
  {
    title: 'steps that need each other',
    before: `const a = run({ name: 'a', layers: [], argv: ['x'] });
      const b = run({ name: 'b', layers: [a], argv: ['x'] });
      a.layers.push({ derivation: b, output: 'out', subpath: '' });`,
    bad: 'b',
    code: 'GRAPH_CYCLE',
    message: /b → a → b/,
  },
  {
    title: 'something else',
    bad: '7',
    code: 'CONFIG_INVALID',
    message: /^outputs\.bad: it is not a derivation/,
  },
];

describe('what is wrong with one output', () => {
  it.each(faults)('is its own: $title', async ({ bad, before, inputs, code, message }) => {
    const { evaluate, failure, configPath } = await project(`{ ${good}, bad: ${bad} }`, {
      ...(before !== undefined && { before }),
      ...(inputs !== undefined && { inputs }),
    });
    const evaluation = await evaluate({ names: ['good'] });
    expect(idOf(evaluation, 'good')).toBeDefined();
    expect([...evaluation.outputs.keys()]).toEqual(['good@x86_64-linux']);
    expect([...evaluation.broken.keys()]).toEqual(['bad@x86_64-linux']);
    expect(await failure({ names: ['bad'] })).toMatchObject({ name: 'UserError', code });
    expect(() => findOutput(evaluation, 'bad')).toThrow(message);
    if (code !== 'SOURCE_MISSING' && code !== 'GRAPH_CYCLE')
      expect((await failure({ names: ['bad'] })).where).toContain(`${configPath}:`);
  });

  it('is its own where a getter throws', async () => {
    const { evaluate, failure } = await project(`{ ${good}, get bad() { throw new Error('not today'); } }`);
    expect(idOf(await evaluate({ names: ['good'] }), 'good')).toBeDefined();
    expect(await failure({ names: ['bad'] })).toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'the config failed: not today',
    });
  });

  it('leaves the ids of the others as they are without it', async () => {
    const alone = await project(`{ ${good} }`);
    const beside = await project(`{ ${good}, bad: 7 }`);
    expect(idOf(await beside.evaluate(), 'good')).toBe(idOf(await alone.evaluate(), 'good'));
  });

  it('is not looked for elsewhere: another target may have a sound one of that name', async () => {
    const { failure } = await configProject({
      'flake-like.config.ts': configText(
        `{ bad: target === 'x86_64-linux' ? run({ name: 'wrong', layers: [], argv: [] }) : write({ name: 'bad', files: {} }) }`,
      ),
    });
    expect(await failure({ names: ['bad'] })).toMatchObject({ code: 'DERIVATION_INVALID' });
  });

  it('is gone once it is mended, even where no file of the config has changed', async () => {
    const { evaluate, folder } = await project(
      `{ ${good}, bad: localFolder({ name: 'src', path: 'later' }) }`,
    );
    expect((await evaluate()).broken.size).toBe(1);
    mkdirSync(join(folder, 'later'));
    const mended = await evaluate();
    expect(mended.broken.size).toBe(0);
    expect(idOf(mended, 'bad')).toBeDefined();
  });

  it('is found when a folder goes that was there', async () => {
    const {
      evaluate,
      write: put,
      remove,
    } = await project(`{ ${good}, bad: localFolder({ name: 'src', path: 'sub/folder' }) }`);
    put('sub/folder/a', 'x');
    expect((await evaluate()).broken.size).toBe(0);
    remove('sub/folder');
    const evaluation = await evaluate({ names: ['good'] });
    expect([...evaluation.broken.keys()]).toEqual(['bad@x86_64-linux']);
    expect(idOf(evaluation, 'good')).toBeDefined();
    put('sub/folder/a', 'y');
    const followed = idOf(await evaluate(), 'bad');
    expect(followed).toBe(idOf(await evaluate({ useCache: false }), 'bad'));
  });
});

describe('nothing is made of what is not known', () => {
  it.each([
    ['the version of a pin', `write({ name: 'b', files: { v: pins.sed[0].version } })`],
    ['how many there are', `write({ name: 'b', files: { v: String(pins.sed.length) } })`],
    ['their names', `write({ name: 'b', files: { v: pins.sed.map((pin) => pin.name).join() } })`],
    ['all that a pin has', `write({ name: 'b', files: { v: JSON.stringify({ ...pins.sed[0] }) } })`],
  ])('a config that reads %s fails as a whole', async (_, bad) => {
    const { failure } = await project(`{ ${good}, bad: ${bad} }`, { inputs: sed });
    expect(await failure({ names: ['good'] })).toMatchObject({ code: 'LOCK_MISSING_PIN' });
  });

  it.each([
    ['the outputs of a wrong step', 'wrong.outputs.length'],
    ['its fields', 'JSON.stringify(wrong)'],
    ['a copy of it', 'Object.keys({ ...wrong }).join()'],
  ])('a config that reads %s fails as a whole', async (_, read) => {
    const { failure } = await project(
      `{ ${good}, bad: write({ name: 'b', files: { v: String(${read}) } }) }`,
      { before: wrong },
    );
    expect(await failure({ names: ['good'] })).toMatchObject({
      code: 'DERIVATION_INVALID',
      message: 'wrong: argv is empty',
    });
  });

  it('the sandbox of all steps has to be sound', async () => {
    const { failure } = await configProject({
      'flake-like.config.ts': configText(
        `{ ${good} }`,
        `sandbox: () => compose({ name: 'x', parts: [write({ name: '', files: {} })] }),`,
      ),
    });
    expect(await failure({ names: ['good'] })).toMatchObject({ code: 'DERIVATION_INVALID' });
  });

  it('outside of a config, what is wrong is thrown at once', () => {
    expect(() => run({ name: 'wrong', layers: [], argv: [] })).toThrow('wrong: argv is empty');
    expect(() => write({ name: '', files: {} })).toThrow('"" is not a name');
  });
});
