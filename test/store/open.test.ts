import { chmodSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openStore } from '../../store/index.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { freshStore } from './fresh-store.ts';

test('a store is made where CAIRN_STORE, XDG_DATA_HOME or HOME says, in this order', async () => {
  const folder = tempFolder('home');
  onTestFinished(() => void vi.unstubAllEnvs());
  const openedPath = async (): Promise<string> => {
    const store = await openStore();
    await store.close();
    return store.path;
  };
  vi.stubEnv('CAIRN_STORE', join(folder, 'named'));
  vi.stubEnv('XDG_DATA_HOME', join(folder, 'data'));
  vi.stubEnv('HOME', folder);
  expect(await openedPath()).toBe(join(folder, 'named'));
  vi.stubEnv('CAIRN_STORE', '');
  expect(await openedPath()).toBe(join(folder, 'data/cairn'));
  vi.stubEnv('XDG_DATA_HOME', 'relative');
  expect(await openedPath()).toBe(join(folder, '.local/share/cairn'));
});

test('a store of another format is refused, and left as it is', async () => {
  const store = await freshStore();
  await store.close();
  writeFileSync(join(store.path, 'format'), 'cairn-store-99\n');
  await expect(openStore(store.path)).rejects.toMatchObject({ code: 'STORE_VERSION' });
  expect(readFileSync(join(store.path, 'format'), 'utf8')).toBe('cairn-store-99\n');
});

test('a folder that holds something else is not made a store', async () => {
  const folder = tempFolder('home');
  writeFileSync(join(folder, 'letter.txt'), '');
  await expect(openStore(folder)).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: expect.stringContaining('letter.txt') as string,
  });
  expect(readdirSync(folder)).toEqual(['letter.txt']);
  for (const path of ['letter.txt', 'letter.txt/below'])
    await expect(openStore(join(folder, path))).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
});

test('a store that was being made when the power went is made again', async () => {
  const folder = tempFolder('store');
  mkdirSync(join(folder, 'blobs/00'), { recursive: true });
  writeFileSync(join(folder, 'format.123'), '');
  const store = await freshStore(folder);
  const batch = store.begin();
  batch.addBytes(Buffer.from('x'));
  await batch.commit();
});

test.each<[string, (path: string) => void]>([
  ['garbage', (path) => writeFileSync(path, 'garbage'.repeat(10_000))],
  ['zeros', (path) => writeFileSync(path, Buffer.alloc(65536))],
  ['cut short', (path) => truncateSync(path, 5000)],
])('a database that is %s is an error, not a crash', async (_, spoil) => {
  const store = await freshStore();
  await store.records.update((records) => records.putDuration('x', 1));
  await store.close();
  spoil(join(store.path, 'db/data.mdb'));
  await expect(openStore(store.path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
});

test('closing a store leaves nothing in flight', async () => {
  const store = await openStore(join(tempFolder('store'), 'store'));
  writeFileSync(join(await store.scratch('a'), 'file'), '');
  const locked = await store.scratch('b');
  mkdirSync(join(locked, 'deep/er'), { recursive: true });
  chmodSync(join(locked, 'deep'), 0);
  store.begin().addBytes(Buffer.from('x'));
  await store.close();
  expect(readdirSync(join(store.path, 'tmp'))).toEqual([]);
});
