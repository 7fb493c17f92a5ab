// Folders that persist between builds of one lineage: how their sources are brought up to date, and who takes them away.

import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../store/base/digest.ts';
import type { GcLimits, GcStats, Kept, Store } from '../../store/index.ts';
import { treeOf, type Literal } from '../support/sandbox-run.ts';
import { freshStore } from './fresh-store.ts';

const key = digestOf(Buffer.from('key'));

async function taken(store: Store, literal: Literal, lineage = 'lineage'): Promise<Kept> {
  const sources = { '/source': await treeOf(store, literal) };
  const kept = await store.kept.take({ lineage, key, sources });
  if (kept.kind === 'held') throw new Error(`held by ${kept.holder}`);
  return kept;
}

/** A build: what it sees of the source, and what it was told has changed. */
async function built(
  store: Store,
  literal: Literal,
  lineage?: string,
): Promise<{ readonly path: string; readonly changed: readonly string[] | undefined }> {
  const kept = await taken(store, literal, lineage);
  const folder = makeStep(await store.scratch('step'));
  kept.lend([folder]);
  writeFileSync(join(folder, 'a.o'), 'object');
  await kept.takeBack([folder], 'succeeded');
  await kept.release();
  return { path: kept.sources.get('/source')!, changed: kept.changed?.toSorted() };
}

function look(path: string): readonly [inode: number, timeMs: number] {
  const { ino, mtimeMs } = lstatSync(path);
  return [ino, mtimeMs];
}

test('sources are at first as in a clean build; then what is unchanged is not touched, and what changes is new and younger', async () => {
  const store = await freshStore();
  const { path, changed } = await built(store, {
    same: { a: 'a' },
    edited: '1',
    gone: 'x',
    kind: 'file',
    mode: 'm',
    deep: { er: { b: 'b', c: 'c' } },
  });
  const at = (name: string): string => join(path, name);
  const names = ['same/a', 'same', 'edited', 'mode', 'deep', 'deep/er', 'deep/er/b', 'deep/er/c'];
  const before = new Map(names.map((name) => [name, look(at(name))]));
  expect([changed, ...before.values()]).toEqual([
    undefined,
    ...names.map(() => [expect.any(Number) as number, 1000]),
  ]);
  const second = await built(store, {
    same: { a: 'a' },
    edited: '2',
    kind: { now: 'a folder' },
    mode: '*m',
    deep: { er: { b: 'bb', c: 'c' } },
    fresh: 'f',
  });
  expect(second.changed).toEqual(
    ['deep/er/b', 'edited', 'fresh', 'gone', 'kind', 'kind/now', 'mode'].map((name) => `/source/${name}`),
  );
  for (const name of ['same/a', 'same', 'deep', 'deep/er/c'])
    expect(look(at(name))).toEqual(before.get(name));
  // Not their inodes: the file system may give a new file the number of one that has just gone.
  for (const name of ['edited', 'mode', 'deep/er/b'])
    expect(look(at(name))[1]).toBeGreaterThan(Date.now() - 60_000);
  expect(readdirSync(path).sort()).toEqual(['deep', 'edited', 'fresh', 'kind', 'mode', 'same']);
  expect(readFileSync(at('edited'), 'utf8')).toBe('2');
  expect(lstatSync(at('mode')).mode & 0o777).toBe(0o555);
});

test('what a link is turned to looks changed, for make follows links; so does what lies behind links in there', async () => {
  const store = await freshStore();
  const rest = { old: { x: 'x', on: '-> ../further/y' }, further: { y: 'y' }, apart: 'z' };
  const { path } = await built(store, { ...rest, turned: 'was a file' });
  const { changed } = await built(store, { ...rest, turned: '-> old' });
  expect(changed).toEqual(['/source/further/y', '/source/old/x', '/source/turned']);
  expect(readlinkSync(join(path, 'turned'))).toBe('old');
  expect(look(join(path, 'apart'))[1]).toBe(1000);
  for (const name of ['old/x', 'further/y']) expect(look(join(path, name))[1]).toBeGreaterThan(1000);
});

test('each change is younger than all that was there, however quickly they follow', async () => {
  const store = await freshStore();
  const times: number[] = [];
  for (let at = 0; at < 5; at++) {
    const { path } = await built(store, { file: `${at % 2}`, entry: `${at}` });
    times.push(look(join(path, 'file'))[1]);
  }
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(5);
});

test('whoever has them keeps others from them, and what he did not give back is gone', async () => {
  const store = await freshStore();
  await built(store, { a: '1' });
  const kept = await taken(store, { a: '2' });
  await expect(taken(store, { a: '3' })).rejects.toThrow('held by');
  kept.lend([makeStep(await store.scratch('step'))]);
  await kept.release();
  const next = await taken(store, { a: '2' });
  expect([next.changed, next.isPristine]).toEqual([undefined, true]);
  await next.release();
});

test('a broken step takes the folders along, and leaves the sources', async () => {
  const store = await freshStore();
  const { path } = await built(store, { a: '1', b: 'b' });
  const before = look(join(path, 'b'));
  const kept = await taken(store, { a: '2', b: 'b' });
  const folder = makeStep(await store.scratch('step'));
  kept.lend([folder]);
  await kept.takeBack([folder], 'broken');
  await kept.release();
  const next = await taken(store, { a: '2', b: 'b' });
  expect([next.changed, next.isPristine, look(join(path, 'b'))]).toEqual([undefined, false, before]);
  const empty = makeStep(await store.scratch('step'));
  next.lend([empty]);
  expect(readdirSync(empty)).toEqual([]);
  await next.takeBack([empty], 'failed');
  await next.release();
});

const dayMs = 24 * 60 * 60 * 1000;

/** As if nobody had come back to them for so long. */
function leave(store: Store, days: number): void {
  const work = join(store.path, 'work');
  const seconds = (Date.now() - days * dayMs) / 1000;
  for (const name of readdirSync(work)) utimesSync(join(work, name, 'record'), seconds, seconds);
}

async function collected(store: Store, limits?: GcLimits): Promise<GcStats> {
  return (await (await store.maintenance()).planGc(limits)).execute();
}

test.each<readonly [days: number, rooted: boolean, limits: GcLimits | undefined, gone: number]>([
  [0, false, undefined, 0],
  [2, false, undefined, 1],
  [2, true, undefined, 0],
  [15, true, undefined, 1],
  [15, false, { usedSinceMs: Date.now() - 20 * dayMs }, 0],
  [15, true, { usedSinceMs: Date.now() - 10 * dayMs }, 1],
  [0, true, { maxBytes: 1e12 }, 0],
  [0, true, { maxBytes: 1 }, 1],
])(
  'unused for %i days, of a lineage that roots reach: %s, a collection with %o takes %i of them',
  async (days, rooted, limits, gone) => {
    const store = await freshStore();
    const derivation = digestOf(Buffer.from('derivation'));
    await built(store, { a: '1' });
    await store.records.update((records) => {
      records.putLineage('lineage', { derivation, action: derivation });
      if (rooted) records.putRoot({ name: 'root', derivations: [derivation] });
    });
    leave(store, days);
    const planned = await (await store.maintenance()).planGc(limits);
    expect([planned.stats.keptFolders, (await collected(store, limits)).keptFolders]).toEqual([gone, gone]);
    expect(readdirSync(join(store.path, 'work'))).toHaveLength(1 - gone);
  },
);

test('a collection neither takes nor waits for what somebody has, and spares what tells the next build what changed', async () => {
  const store = await freshStore();
  await built(store, { a: '1', b: 'b' }, 'other');
  const kept = await taken(store, { a: '1' });
  leave(store, 100);
  expect((await collected(store)).keptFolders).toBe(1);
  await kept.release();
  expect(readdirSync(join(store.path, 'work'))).toHaveLength(1);
  expect((await collected(store)).keptFolders).toBe(0);
  expect((await built(store, { a: '2' })).changed).toBeUndefined();
  await collected(store);
  expect((await built(store, { a: '3' })).changed).toEqual(['/source/a']);
});

test('the store says what they take, by the name of the step', async () => {
  const store = await freshStore();
  await built(store, { a: '1' }, `${'0'.repeat(16)} linux@aarch64-linux`);
  const { kept, parts } = await (await store.maintenance()).usage();
  expect(kept).toEqual([
    {
      part: 'work',
      name: 'linux@aarch64-linux',
      files: 3,
      sizeBytes: expect.any(Number) as number,
      usedAtMs: expect.any(Number) as number,
    },
  ]);
  expect(parts.find(({ name }) => name === 'work')?.files).toBe(3);
});

function makeStep(scratch: string): string {
  const folder = join(scratch, 'objects');
  mkdirSync(folder);
  return folder;
}
