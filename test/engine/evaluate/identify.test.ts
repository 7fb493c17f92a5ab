import { expect, test } from 'vitest';
import { closureOf, identify, localsOf } from '../../../engine/evaluate/identify.ts';
import { compose, from, localFolder, run, write, type Derivation } from '../../../engine/model/derivation.ts';
import { digestOf } from '../../../store/base/digest.ts';

const noLocals = (): never => {
  throw new Error('there are no local folders');
};

const step = (name: string, ...layers: Derivation[]): Derivation => run({ name, layers, argv: ['x'] });

test('equal derivations that were made twice are one step', () => {
  const make = () => step('top', step('a'), step('a'));
  const { steps, idOf } = identify(closureOf([make(), make()]), noLocals);
  expect([...steps.values()].map(({ derivation }) => derivation.name)).toEqual(['a', 'top']);
  const again = make();
  expect(identify(closureOf([again]), noLocals).idOf(again)).toBe([...steps.keys()][1]);
  expect(steps.has(idOf([...steps.values()][0]!.derivation))).toBe(true);
});

test('steps come with the ids of their inputs, inputs first', () => {
  const [a, b] = [step('a'), step('b')];
  const top = compose({ name: 'top', parts: [b, from(a, { subpath: 'usr' }), b] });
  const { steps, idOf } = identify(closureOf([top]), noLocals);
  expect(steps.get(idOf(top))!.inputIds).toEqual([idOf(b), idOf(a), idOf(b)]);
  const order = [...steps.keys()];
  expect(order.at(-1)).toBe(idOf(top));
});

test('what an input is narrowed to is part of the id', () => {
  const a = step('a');
  const [all, part] = ['', 'usr'].map((subpath) => compose({ name: 'x', parts: [from(a, { subpath })] }));
  const { idOf } = identify(closureOf([all!, part!]), noLocals);
  expect(idOf(all!)).not.toBe(idOf(part!));
});

test('a local folder is what it holds, not where it is', () => {
  const [here, there] = ['/here', '/there'].map((path) => localFolder({ name: 'src', path }));
  const hello = digestOf(Buffer.from('hello'));
  const same = identify(closureOf([here!, there!]), () => hello);
  expect(same.idOf(here!)).toBe(same.idOf(there!));
  expect(same.steps.get(same.idOf(here!))!.content).toBe(hello);
  const different = identify(closureOf([here!, there!]), ({ path }) => digestOf(Buffer.from(path)));
  expect(different.idOf(here!)).not.toBe(different.idOf(there!));
  expect(localsOf(closureOf([step('a', here!), there!]))).toEqual([here, there]);
});

test('chains of ten thousand steps are identified', () => {
  let last = step('first');
  for (let at = 1; at < 10_000; at++) last = step(`s${at}`, last);
  expect(identify(closureOf([last]), noLocals).steps.size).toBe(10_000);
});

test('a step that needs itself in the end is reported with the way round', () => {
  const a = step('a');
  const b = step('b', a, step('side', a));
  if (a.kind === 'run') (a.layers as unknown[]).push({ derivation: b, output: 'out', subpath: '' });
  expect(() => identify(closureOf([step('top', b)]), noLocals)).toThrow(
    expect.objectContaining({
      code: 'GRAPH_CYCLE',
      message: 'these derivations need each other: b → a → side → b',
    }) as Error,
  );
});

test('what was not made by the model is refused', () => {
  const byHand: Derivation = { ...write({ name: 'a', files: {} }) };
  expect(() => identify(closureOf([byHand]), noLocals)).toThrow(
    expect.objectContaining({ code: 'DERIVATION_INVALID' }) as Error,
  );
});
