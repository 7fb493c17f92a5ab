import { mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Evaluation } from '../../../engine/evaluate/evaluation.ts';
import type { DerivationId } from '../../../engine/model/encode.ts';
import { derivationIdOf } from '../../../engine/model/encode.ts';
import { stepRecord } from '../../../engine/plan/explain.ts';
import type { Step } from '../../../engine/step.ts';
import { configProject, configText, idOf, type ConfigProject } from '../../support/config-project.ts';
import { randomFrom } from '../../support/random.ts';

/** Three folders, and steps of every kind above them and beside them; several share a name. */
const manySteps = configText(`(console.log('evaluated'), (() => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => localFolder({ name, path: name }));
  const beside = run({ name: 'beside', layers: [], argv: ['x'] });
  const step = (...layers) => run({ name: 'step', layers, argv: ['x'], inputs: { '/__proto__': from(beside) } });
  const above = step(a, beside);
  const both = compose({ name: 'both', parts: [from(above), { input: b, at: 'b', exclude: ['x'] }] });
  return { a: above, both, deep: step(step(both)), c: compose({ name: 'c', parts: [from(c, { subpath: 'text' }), beside].slice(1) }), beside };
})())`);

const files = { 'a/text': 'a', 'b/text': 'b', 'c/text': 'c' };

async function project(config = manySteps): Promise<ConfigProject> {
  return configProject({ 'flake-like.config.ts': config, ...files });
}

function closure({ steps, outputs }: Evaluation): Map<DerivationId, Step> {
  const found = new Map<DerivationId, Step>();
  const pending = [...outputs.values()].map(({ id }) => id);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (found.has(id)) continue;
    found.set(id, steps(id));
    pending.push(...steps(id).inputIds);
  }
  return found;
}

/** All that an evaluation says, so that two can be compared. */
function told(evaluation: Evaluation) {
  const steps = [...closure(evaluation).values()].map((step) => ({
    id: step.id,
    record: derivationIdOf(stepRecord(step)),
    lineage: step.lineage,
    place: evaluation.placeOf(step.id),
  }));
  return {
    // What is undefined is not kept.
    outputs: JSON.parse(JSON.stringify([...evaluation.outputs])) as unknown,
    locals: evaluation.locals,
    flake: evaluation.flake,
    steps: steps.sort((x, y) => (x.id < y.id ? -1 : 1)),
  };
}

test('when a local folder changes, only what depends on it is identified again, and the config is not asked', async () => {
  const { evaluate, write } = await project();
  const printed: string[] = [];
  const onPrint = (text: string): number => printed.push(text);
  const first = await evaluate({ onPrint });
  expect(first.identified).toBe(closure(first).size);
  write('b/text', 'changed');
  const second = await evaluate({ onPrint });
  // The folder, what is composed with it, and the two steps above that.
  expect(second).toMatchObject({ isCached: false, identified: 4 });
  expect(idOf(second, 'both')).not.toBe(idOf(first, 'both'));
  for (const name of ['a', 'c', 'beside']) expect(idOf(second, name)).toBe(idOf(first, name));
  expect(await evaluate({ onPrint })).toMatchObject({ isCached: true, identified: 0 });
  expect(printed).toHaveLength(1);
});

test('it is the same as an evaluation that is made anew, after any changes', async () => {
  const { evaluate, write } = await project();
  const random = randomFrom(11);
  await evaluate();
  for (let round = 0; round < 12; round++) {
    for (const folder of ['a', 'b', 'c'].filter(() => random(2) > 0))
      write(`${folder}/${['text', 'more'][random(2)]}`, `${random(5)}`);
    const followed = await evaluate();
    expect(told(await evaluate())).toEqual(told(followed));
    expect(told(await evaluate({ useCache: false }))).toEqual(told(followed));
  }
});

test('what is described is exactly what its id says', async () => {
  const { evaluate, write } = await project();
  await evaluate();
  write('a/text', 'changed');
  for (const [id, step] of closure(await evaluate())) expect(derivationIdOf(stepRecord(step))).toBe(id);
});

test('each target follows by itself, with what its own folders hold', async () => {
  const { evaluate, write } = await configProject({
    'flake-like.config.ts': configText(
      `{ all: run({ name: 'all', target, layers: [localFolder({ name: 'a', path: 'a' })], argv: ['x'] }) }`,
    ),
    'a/text': 'a',
  });
  const names = ['all', 'all@aarch64-linux'];
  await evaluate({ names });
  write('a/text', 'changed');
  const one = await evaluate({ names: ['all'] });
  const other = await evaluate({ names: ['all@aarch64-linux'] });
  expect([one.identified, other.identified]).toEqual([3, 3]);
  const both = await evaluate({ names });
  expect(both.isCached).toBe(true);
  expect(told(both)).toEqual(told(await evaluate({ names, useCache: false })));
});

test('folders that become alike, or cease to be, are evaluated anew', async () => {
  const { evaluate, write } = await configProject({
    'flake-like.config.ts': configText(
      `(console.log('x'), { a: localFolder({ name: 'same', path: 'a' }), b: localFolder({ name: 'same', path: 'b' }) })`,
    ),
    'a/text': 'one',
    'b/text': 'two',
  });
  const printed: string[] = [];
  const onPrint = (text: string): number => printed.push(text);
  await evaluate({ onPrint });
  for (const [text, times] of [
    ['one', 2],
    ['three', 3],
    ['four', 3],
  ] as const) {
    write('b/text', text);
    const followed = await evaluate({ onPrint });
    expect(idOf(followed, 'a') === idOf(followed, 'b')).toBe(text === 'one');
    expect(printed).toHaveLength(times);
  }
});

test('touching what is in a folder identifies nothing', async () => {
  const { evaluate, folder } = await project();
  await evaluate();
  utimesSync(join(folder, 'a/text'), 5, 5);
  expect(await evaluate()).toMatchObject({ isCached: true, identified: 0 });
  mkdirSync(join(folder, 'a/empty'));
  expect((await evaluate()).identified).toBeGreaterThan(0);
});

test('an output says which folders it is made from, before and after they changed', async () => {
  const { evaluate, write } = await project();
  const names = (evaluation: Evaluation, name: string) =>
    (evaluation.outputs.get(`${name}@x86_64-linux`)?.locals ?? [])
      .map((id) => evaluation.locals.find((local) => local.id === id)?.name)
      .sort();
  const first = await evaluate();
  write('a/text', 'changed');
  for (const evaluation of [first, await evaluate(), await evaluate()]) {
    expect(names(evaluation, 'deep')).toEqual(['a', 'b']);
    expect(names(evaluation, 'a')).toEqual(['a']);
    expect(evaluation.outputs.get('beside@x86_64-linux')).not.toHaveProperty('locals');
  }
});

test('what garbage collection took away is evaluated anew', async () => {
  const { evaluate, write, store } = await project();
  const first = await evaluate();
  const hidden = idOf(first, 'beside')!;
  const { records } = store;
  const has = records.hasDescription.bind(records);
  records.hasDescription = (id) => id !== hidden && has(id);
  write('a/text', 'changed');
  const second = await evaluate({ names: ['a'] });
  records.hasDescription = has;
  expect(second.identified).toBe(closure(first).size);
});
