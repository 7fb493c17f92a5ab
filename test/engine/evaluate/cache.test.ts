import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadFlake } from '../../../engine/evaluate/evaluate.ts';
import type { Run } from '../../../engine/model/derivation.ts';
import { openStore } from '../../../store/index.ts';
import { configProject, configText, idOf, type ConfigProject } from '../../support/config-project.ts';

const files = {
  'flake-like.config.ts': `import { defineFlake, run, write } from 'cairn-build';
import { text } from './lib.ts';
import note from './note.txt';
export default defineFlake({
  description: 'a test',
  inputs: {},
  environment: ['FLAVOUR', 'UNUSED'],
  outputs: ({ target, env }) => {
    const files = write({ name: 'files', files: { a: text + note, flavour: env.FLAVOUR ?? 'none' } });
    return { a: { derivation: run({ name: 'a', target, layers: [files], argv: ['x'] }), description: 'an output' } };
  },
});
`,
  'lib.ts': `export const text = 'text';\n`,
  'note.txt': 'note',
};

async function evaluatedProject(): Promise<ConfigProject> {
  const project = await configProject(files);
  await project.evaluate();
  return project;
}

test('with nothing changed, the evaluation is taken from the store and the same', async () => {
  const project = await configProject(files);
  const first = await project.evaluate();
  const again = await project.evaluate();
  expect(first.isCached).toBe(false);
  expect(again.isCached).toBe(true);
  expect(again.outputs).toEqual(first.outputs);
  expect(again.flake).toEqual(first.flake);
  expect([...again.files].sort()).toEqual([...first.files].sort());
});

test('a kept evaluation brings every step back to life', async () => {
  const project = await evaluatedProject();
  const { outputs, steps } = await project.evaluate();
  const step = steps(outputs.get('a@x86_64-linux')!.id);
  const { layers, ...fields } = step.derivation as Run;
  expect(fields).toEqual({
    kind: 'run',
    name: 'a',
    platform: 'x86_64-linux',
    target: 'x86_64-linux',
    inputs: {},
    env: {},
    argv: ['x'],
    outputs: ['out'],
    mayBeEmpty: [],
    limits: {},
  });
  const bytes = (text: string) => ({ bytes: new TextEncoder().encode(text), executable: false });
  expect(layers[0]!.derivation).toEqual({
    kind: 'write',
    name: 'files',
    files: { a: bytes('textnote'), flavour: bytes('none') },
  });
  expect(steps(step.inputIds[0]!).derivation).toBe(layers[0]!.derivation);
});

interface Change {
  readonly title: string;
  readonly change: (project: ConfigProject) => void;
  readonly env?: Readonly<Record<string, string>>;
}

const misses: readonly Change[] = [
  {
    title: 'the config',
    change: ({ write }) => write('flake-like.config.ts', `${files['flake-like.config.ts']}\n`),
  },
  { title: 'an imported module', change: ({ write }) => write('lib.ts', `export const text = 'other';\n`) },
  { title: 'an imported text', change: ({ write }) => write('note.txt', 'other') },
  {
    title: 'the lock appearing',
    change: ({ write }) => write('flake-like.lock', '{"version":1,"inputs":{}}'),
  },
  { title: 'a declared variable', change: () => undefined, env: { FLAVOUR: 'vanilla' } },
];

test.each(misses)('a change of $title is seen', async ({ change, env = {} }) => {
  const project = await evaluatedProject();
  change(project);
  expect((await project.evaluate({ env })).isCached).toBe(false);
  expect((await project.evaluate({ env })).isCached).toBe(true);
});

const hits: readonly Change[] = [
  { title: 'only the times of a file', change: ({ folder }) => utimesSync(join(folder, 'lib.ts'), 1, 1) },
  { title: 'a file that was rewritten as it was', change: ({ write }) => write('lib.ts', files['lib.ts']) },
  { title: 'a file that nobody imports', change: ({ write }) => write('other.ts', 'export {};') },
  { title: 'a variable that is not declared', change: () => undefined, env: { HOME: '/elsewhere' } },
];

test.each(hits)('a change of $title is not', async ({ change, env = {} }) => {
  const project = await evaluatedProject();
  change(project);
  expect((await project.evaluate({ env })).isCached).toBe(true);
  expect((await project.evaluate({ env })).isCached).toBe(true);
});

test('a file that is changed within a clock tick of being read is still seen to change', async () => {
  const project = await configProject({
    'flake-like.config.ts': `import { defineFlake } from 'cairn-build';
import note from './note.txt';
export default defineFlake({ description: note, inputs: {}, outputs: () => ({}) });
`,
  });
  for (let round = 0; round < 20; round++) {
    project.write('note.txt', String(round % 10));
    expect((await project.evaluate()).flake.description).toBe(String(round % 10));
  }
});

test('a folder in place of a lock is an error, though the evaluation was kept from a time without one', async () => {
  const { evaluate, write } = await evaluatedProject();
  write('flake-like.lock/note', '');
  await expect(evaluate()).rejects.toMatchObject({ code: 'LOCK_INVALID' });
});

test('a lock that is edited is seen, and its pins used', async () => {
  const project = await configProject({
    'flake-like.config.ts': configText(
      `{ a: fetchUrl({ name: 'a', urls: pins.a[0].urls, sha256: pins.a[0].sha256 }) }`,
    ).replace('inputs: {}', `inputs: { a: { kind: 'url', urls: ['https://example.org/a'] } }`),
  });
  const lock = (digit: string): void =>
    project.write(
      'flake-like.lock',
      JSON.stringify({
        version: 1,
        inputs: {
          a: {
            declaration: { kind: 'url', urls: ['https://example.org/a'] },
            pins: [
              {
                name: 'a',
                version: '1',
                urls: ['https://example.org/a'],
                sha256: digit.repeat(64),
                sizeBytes: 1,
              },
            ],
          },
        },
      }),
    );
  lock('a');
  const before = idOf(await project.evaluate(), 'a');
  expect((await project.evaluate()).isCached).toBe(true);
  lock('b');
  const after = await project.evaluate();
  expect(after.isCached).toBe(false);
  expect(idOf(after, 'a')).not.toBe(before);
});

test('only the targets that are asked for are evaluated, and each is kept', async () => {
  const project = await configProject({
    'flake-like.config.ts': configText(
      `(console.log(target), { a: run({ name: 'a', target, layers: [], argv: ['x'] }) })`,
    ),
  });
  const evaluated: string[] = [];
  const onPrint = (text: string): number => evaluated.push(text.trim());
  const at = (name: string) => project.evaluate({ names: [name], onPrint });
  expect([...(await at('a')).outputs.keys()]).toEqual(['a@x86_64-linux']);
  expect([...(await at('a@aarch64-linux')).outputs.keys()]).toEqual(['a@aarch64-linux']);
  expect((await at('a')).isCached).toBe(true);
  expect((await at('a@aarch64-linux')).isCached).toBe(true);
  const both = await project.evaluate({ names: ['a', 'a@aarch64-linux'] });
  expect([...both.outputs.keys()]).toEqual(['a@x86_64-linux', 'a@aarch64-linux']);
  expect(evaluated).toEqual(['x86_64-linux', 'aarch64-linux']);
});

test('a local folder that changed is imported again, and its dependents follow', async () => {
  const project = await configProject({
    'flake-like.config.ts': configText(
      `{ a: run({ name: 'a', layers: [localFolder({ name: 'src', path: 'src', exclude: ['*.o'] })], argv: ['x'] }) }`,
    ),
    'src/main.c': 'int main;',
  });
  const first = await project.evaluate();
  expect(first.locals).toMatchObject([{ name: 'src', path: join(project.folder, 'src'), exclude: ['*.o'] }]);
  const [local] = first.locals;
  expect(project.store.records.memo(local!.id)?.outputs).toEqual({
    out: { kind: 'tree', digest: local!.content },
  });
  project.write('src/main.o', 'object');
  const same = await project.evaluate();
  expect(same.isCached).toBe(true);
  expect(same.steps(local!.id)).toMatchObject({
    content: local!.content,
    derivation: { kind: 'local', path: join(project.folder, 'src') },
  });
  project.write('src/main.c', 'int main, other;');
  const changed = await project.evaluate();
  expect(changed.isCached).toBe(false);
  expect(idOf(changed, 'a')).not.toBe(idOf(first, 'a'));
});

test('who says what may have changed in local folders has nothing else of them looked at', async () => {
  const project = await configProject({
    'flake-like.config.ts': configText(
      `{ a: localFolder({ name: 'a', path: 'one' }), b: localFolder({ name: 'b', path: 'two', exclude: ['*.o'] }) }`,
    ),
    'one/text': 'a',
    'two/text': 'b',
  });
  const first = await project.evaluate();
  project.write('one/text', 'told');
  project.write('two/text', 'not told');
  const paths = [join(project.folder, 'one/text')];
  const second = await project.evaluate({ changes: { since: first, paths } });
  expect(idOf(second, 'a')).not.toBe(idOf(first, 'a'));
  expect(idOf(second, 'b')).toBe(idOf(first, 'b'));
  const third = await project.evaluate({ changes: { since: second, paths: [project.folder] } });
  expect(idOf(third, 'a')).toBe(idOf(second, 'a'));
  expect(idOf(third, 'b')).not.toBe(idOf(first, 'b'));
  // An evaluation that is too old says nothing of what was seen last.
  project.write('one/text', 'again');
  const fourth = await project.evaluate({ changes: { since: first, paths: [] } });
  expect(idOf(fourth, 'a')).not.toBe(idOf(third, 'a'));
});

test('two folders with the same content are one derivation', async () => {
  const { evaluate } = await configProject({
    'flake-like.config.ts': configText(
      `{ a: localFolder({ name: 'src', path: 'one' }), b: localFolder({ name: 'src', path: './two' }) }`,
    ),
    'one/a': 'a',
    'two/a': 'a',
  });
  const evaluation = await evaluate();
  expect(idOf(evaluation, 'a')).toBe(idOf(evaluation, 'b'));
});

test('a local folder that is not there is an error, not an empty tree', async () => {
  const { failure } = await configProject({
    'flake-like.config.ts': configText(`{ a: localFolder({ name: 'src', path: 'absent' }) }`),
  });
  expect(await failure()).toMatchObject({ code: 'SOURCE_MISSING' });
});

test('an evaluation can be checked by doing it again', async () => {
  const { check } = await evaluatedProject();
  expect((await check()).isCached).toBe(false);
});

test('a config that reaches around the guards is found out by checking', async () => {
  const { check, configPath } = await configProject({
    'flake-like.config.ts': configText(
      `{ a: write({ name: 'a', files: { now: write.constructor('return String(performance.now())')() } }) }`,
    ),
  });
  await expect(check()).rejects.toMatchObject({
    code: 'CONFIG_IMPURE',
    message: 'evaluating again gave something else for a@x86_64-linux',
    where: configPath,
  });
});

test('what garbage collection took away is evaluated and imported again', async () => {
  const project = await configProject({
    'flake-like.config.ts': configText(
      `{ a: run({ name: 'collected', layers: [localFolder({ name: 'src', path: 'src' })], argv: ['x'] }) }`,
    ),
    'src/main.c': 'int main; // seen by no other test',
  });
  const { store } = project;
  // What a process has evaluated stays for as long as it has the store open.
  const other = await openStore(store.path);
  const first = await project.evaluate({ names: ['a'], store: other });
  await (await (await store.maintenance()).planGc()).execute();
  expect(store.records.hasDescription(idOf(first, 'a')!)).toBe(true);
  await other.close();
  await (await (await store.maintenance()).planGc()).execute();
  expect(store.records.hasDescription(idOf(first, 'a')!)).toBe(false);
  const again = await project.evaluate({ names: ['a'] });
  expect(again).toMatchObject({ isCached: false, outputs: first.outputs });
  const [local] = again.locals;
  expect(store.records.memo(local!.id)).toBeDefined();
  expect(store.trees.get(local!.content)?.size).toBe(1);
});

test('what is collected while an evaluation is written down is written again', async () => {
  const config = (argument: string): string =>
    configText(
      `{ a: run({ name: 'a', layers: [write({ name: 'left', files: { over: 'x' } })], argv: ['${argument}'] }) }`,
    );
  const { store, evaluate, write } = await configProject({ 'flake-like.config.ts': config('before') });
  const earlier = await openStore(store.path);
  const first = await evaluate({ store: earlier });
  const [left] = first.steps(idOf(first, 'a')!).inputIds;
  await earlier.close();
  expect(store.records.hasDescription(left!)).toBe(true);

  write('flake-like.config.ts', config('after'));
  const disturbed = await openStore(store.path);
  const { records } = disturbed;
  const update = records.update.bind(records);
  records.update = async (...given) => {
    await (await (await store.maintenance()).planGc()).execute();
    seen.push(store.records.hasDescription(left!));
    await update(...given);
    // From now on, all of it hangs together.
    records.update = update;
  };
  const seen: boolean[] = [];
  expect(await evaluate({ store: disturbed })).toMatchObject({ isCached: false });
  expect(seen).toEqual([false]);
  expect(store.records.hasDescription(left!)).toBe(true);
  expect(await evaluate()).toMatchObject({ isCached: true });
  await disturbed.close();
});

test('a flake can be asked for its inputs before they are locked', async () => {
  const { store, configPath, failure } = await configProject({
    'flake-like.config.ts': configText('{ sed: unpackPin(pins.sed[0]) }').replace(
      'inputs: {}',
      `inputs: { sed: { kind: 'debian-source', suite: 'trixie', package: 'sed' } }`,
    ),
  });
  expect(await failure()).toMatchObject({ code: 'LOCK_MISSING_PIN' });
  const { inputs } = await loadFlake({ configPath, store });
  expect(inputs).toEqual({ sed: { kind: 'debian-source', suite: 'trixie', package: 'sed' } });
});

test('a config that is not there is named', async () => {
  const { failure, folder } = await configProject({});
  expect(await failure()).toMatchObject({
    code: 'CONFIG_MISSING',
    message: `there is no config file ${folder}/flake-like.config.ts`,
  });
});

test('an evaluation that was cancelled before it began does nothing', async () => {
  const { evaluate } = await configProject({ 'flake-like.config.ts': 'throw new Error("called");' });
  await expect(evaluate({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
});
