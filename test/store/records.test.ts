import { expect, test } from 'vitest';
import { digestOf } from '../../store/base/digest.ts';
import type { Memo } from '../../store/index.ts';
import { freshStore } from './fresh-store.ts';
import { madeRealisation } from '../support/realisations.ts';

const id = (text: string): ReturnType<typeof digestOf> => digestOf(Buffer.from(text));

const outputs = {
  out: { kind: 'tree', digest: id('tree') },
  run: { kind: 'blob', digest: id('blob'), executable: true },
  link: { kind: 'symlink', target: 'x' },
} as const;
const action = id('action');
const realisation = madeRealisation(action, outputs, {
  durationMs: 12.6,
  cpuMs: 30,
  peakMemoryBytes: 5_000_000_000,
  sizeBytes: 7,
  builtAtMs: 1_800_000_000_000,
  log: id('log'),
  elsewhere: { executor: 'grpc://build.example', worker: 'one', executedMs: 12 },
});
const memo: Memo = { derivation: id('derivation'), action, outputs };

test('every record comes back as it was written, also in another process', async () => {
  const store = await freshStore();
  await store.records.update((records) => {
    records.putRealisation(realisation);
    records.putMemo(memo);
    records.putLineage('zlib@x', { derivation: memo.derivation, action: memo.action });
    records.putDescription(memo.derivation, { name: 'zlib', argv: ['make'] });
    records.putDuration('zlib@x', 12.6);
    records.putRoot({ name: 'r', derivations: [memo.derivation] });
    records.putCached('evaluation', [1, 'two', null]);
  });
  const { records } = await freshStore(store.path);
  const { claim, facts } = realisation;
  expect(records.realisation(action)).toEqual({ claim, facts: { ...facts, durationMs: 13 } });
  expect(records.memo(memo.derivation)).toEqual(memo);
  expect(records.lineage('zlib@x')).toEqual({ derivation: memo.derivation, action: memo.action });
  expect(records.hasDescription(memo.derivation)).toBe(true);
  expect(records.description(memo.derivation)).toEqual({ name: 'zlib', argv: ['make'] });
  expect(records.duration('zlib@x')).toBe(13);
  expect(records.root('r')).toEqual({ name: 'r', derivations: [memo.derivation] });
  expect(records.cached('evaluation')).toEqual([1, 'two', null]);
});

test('what was never written is absent', async () => {
  const { records } = await freshStore();
  expect(records.realisation(id('x'))).toBeUndefined();
  expect(records.memo(id('x'))).toBeUndefined();
  expect(records.lineage('x')).toBeUndefined();
  expect(records.description(id('x'))).toBeUndefined();
  expect(records.hasDescription(id('x'))).toBe(false);
  expect(records.duration('x')).toBeUndefined();
  expect(records.root('x')).toBeUndefined();
  expect([...records.roots()]).toEqual([]);
  expect(records.cached('x')).toBeUndefined();
});

test('what is not known of a realisation is not there', async () => {
  const { records } = await freshStore();
  await records.update((writer) => writer.putRealisation(madeRealisation(action, outputs)));
  expect(records.realisation(action)).toEqual(madeRealisation(action, outputs));
});

test('an update happens as a whole or not at all', async () => {
  const { records } = await freshStore();
  const update = records.update((writer) => {
    writer.putDuration('x', 1);
    throw new Error('changed my mind');
  });
  await expect(update).rejects.toThrow('changed my mind');
  expect(records.duration('x')).toBeUndefined();
});

test('within one update, what comes later counts', async () => {
  const { records } = await freshStore();
  await records.update((writer) => {
    writer.putMemo(memo);
    writer.putMemo({ ...memo, action: id('new') });
    writer.putRoot({ name: 'r', derivations: [] });
    writer.removeRoot('r');
  });
  expect(records.memo(memo.derivation)?.action).toBe(id('new'));
  expect(records.root('r')).toBeUndefined();
});

test('roots are listed by name', async () => {
  const { records } = await freshStore();
  await records.update((writer) => {
    for (const name of ['b', 'a', 'c/d']) writer.putRoot({ name, derivations: [id(name)] });
  });
  expect([...records.roots()].map(({ name }) => name)).toEqual(['a', 'b', 'c/d']);
});

test('names that mean something to JavaScript are names like any others, also for garbage collection', async () => {
  const store = await freshStore();
  const env = Object.fromEntries([
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
  const outputs = { constructor: { kind: 'tree', digest: id('tree') } } as const;
  await store.records.update((records) => {
    records.putDescription(memo.derivation, { env });
    records.putMemo({ ...memo, outputs });
    records.putRoot({ name: 'r', derivations: [memo.derivation] });
  });
  const { records } = await freshStore(store.path);
  const description = records.description(memo.derivation) as { env: Record<string, string> };
  expect(Object.entries(description.env)).toEqual([
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
  expect(records.memo(memo.derivation)!.outputs['constructor']).toEqual(outputs.constructor);
  expect(records.memo(memo.derivation)!.outputs['valueOf' as string]).toBeUndefined();
  await (await (await store.maintenance()).planGc()).execute();
  expect(records.description(memo.derivation)).toEqual(description);
});
