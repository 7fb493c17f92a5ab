import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { encodeCbor, type CborValue } from '../../store/base/cbor.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { emptyTree, mendStore, openStore, type Store } from '../../store/index.ts';
import { sealRecord } from '../../store/records/record-form.ts';
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

test('where nobody can make a folder no store can be, and it says so', async () => {
  for (const path of ['/proc/cairn', '/proc/cairn/store', '/proc/self/cairn'])
    await expect(openStore(path)).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: `no folder can be made at ${path}`,
    });
});

test('where this user may make no folder, the store that was asked for is named, and not what is there of its path', async () => {
  const path = '/sys/cairn/store';
  await expect(openStore(path)).rejects.toMatchObject({
    code: 'STORE_UNUSABLE',
    message: `the store in ${path} cannot be written`,
  });
});

test('where no path can be no store can be, and it says why', async () => {
  const folder = tempFolder('odd');
  symlinkSync('circle', join(folder, 'circle'));
  symlinkSync('/nowhere/at/all', join(folder, 'link'));
  for (const [path, says] of [
    ['a'.repeat(256), /it is too long: a part has at most 255 bytes/],
    ['ä'.repeat(128), /it is too long/],
    [join(...Array<string>(20).fill('d'.repeat(250))), /it is too long/],
    ['circle', /its symbolic links lead in a circle/],
    ['circle/store', /its symbolic links lead in a circle/],
    ['link', /link is a symbolic link to \/nowhere\/at\/all, which is not there/],
  ] as const)
    await expect(openStore(join(folder, path))).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringMatching(says) as string,
    });
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

test('whatever folder of a closed store was removed is there again when it is opened, and content is lost, not wrong', async () => {
  const store = await freshStore();
  const text = Buffer.from('x'.repeat(100));
  const commit = async (to: Store): Promise<Digest> => {
    const batch = to.begin();
    const digest = batch.addBytes(text);
    await batch.commit();
    return digest;
  };
  const digest = await commit(store);
  await store.close();
  const shard = join('blobs', digest.slice(0, 2));
  for (const name of ['trees', 'results', 'tmp', 'logs', 'work', 'failed', 'db', shard, 'blobs', 'format']) {
    rmSync(join(store.path, name), { recursive: true, force: true });
    const opened = await openStore(store.path);
    expect(existsSync(join(store.path, name)), name).toBe(true);
    expect(opened.blobs.has(digest), name).toBe(!['blobs', shard].includes(name));
    expect((await (await opened.maintenance()).verify()).damages, name).toEqual([]);
    await commit(opened);
    await opened.materialiseBlob(digest, false);
    await opened.handOut({ kind: 'blob', digest, executable: false });
    await opened.close();
  }
});

describe('a store of an older form is brought up to date when it is opened', () => {
  const action = digestOf(Buffer.from('action'));

  /** Writes records into its database, in a process of its own: a process opens a database once. */
  function writeRecords(path: string, records: readonly (readonly [string, string, Uint8Array])[]): void {
    const write = `
      const { open } = require('lmdb');
      const env = open({ path: ${JSON.stringify(join(path, 'db'))}, noSubdir: false, encoding: 'binary', overlappingSync: false });
      for (const [table, key, bytes] of ${JSON.stringify(records.map(([table, key, bytes]) => [table, key, [...bytes]]))})
        env.openDB({ name: table, encoding: 'binary' }).putSync(key, Buffer.from(bytes));
      void env.close();`;
    execFileSync(process.execPath, ['-e', write], { cwd: packageRoot });
  }

  test.each([
    ['cairn-store-2', (_table: string, _key: string, bytes: Uint8Array) => bytes],
    ['cairn-store-3', sealRecord],
  ])('%s: durations and memos stay, realisations that are no claims go', async (format, form) => {
    const store = await freshStore();
    const memo = { derivation: digestOf(Buffer.from('derivation')), action, outputs: { out: emptyTree } };
    await store.close();
    const written: [string, string, CborValue][] = [
      ['durations', 'x', 7],
      ['memos', memo.derivation, { action, outputs: { out: { ...emptyTree } } }],
      ['realisations', action, { outputs: { out: { ...emptyTree } }, name: 'x', builder: 'here' }],
    ];
    writeRecords(
      store.path,
      written.map(([table, key, value]) => [table, key, form(table, key, encodeCbor(value))]),
    );
    writeFileSync(join(store.path, 'format'), `${format}\n`);
    const upgraded = await freshStore(store.path);
    expect(upgraded.records.duration('x')).toBe(7);
    expect(upgraded.records.memo(memo.derivation)).toEqual(memo);
    expect(upgraded.records.realisation(action)).toBeUndefined();
    expect((await (await upgraded.maintenance()).verify()).damages).toEqual([]);
    expect(readFileSync(join(store.path, 'format'), 'utf8')).toBe('cairn-store-4\n');
  });
});

test('a store of the form before is left alone while another process uses it', async () => {
  const store = await freshStore();
  await store.scratch('in use');
  writeFileSync(join(store.path, 'format'), 'cairn-store-2\n');
  await expect(openStore(store.path)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
});

describe('a database whose pages are damaged', () => {
  /** A closed store with many durations, whose pages with the record of one of them, at `found`, are spoilt. */
  async function damagedStore(spoil: (page: Buffer, found: number) => void): Promise<string> {
    const store = await freshStore();
    await store.records.update((records) => {
      for (let at = 0; at < 500; at++) records.putDuration(`step-${at}`, at);
    });
    await store.close();
    const file = join(store.path, 'db/data.mdb');
    const bytes = readFileSync(file);
    for (let at = 8192; at < bytes.length; at += 4096) {
      const page = bytes.subarray(at, at + 4096);
      // Below that offset lies what is not in use.
      const found = page.indexOf('step-250', 24 + page.readUInt16LE(22));
      if (found > 0) spoil(page, found);
    }
    writeFileSync(file, bytes);
    return store.path;
  }

  it('is refused, and mended with what can still be read, and the damaged one is kept', async () => {
    const path = await damagedStore((page) => page.fill(0));
    await expect(openStore(path)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      hint: expect.stringContaining('cairn store repair') as string,
    });
    const mended = await mendStore(path);
    expect(mended?.kept).toBeGreaterThan(300);
    expect(readFileSync(mended!.keptAs).length).toBeGreaterThan(8192);
    const { records } = await freshStore(path);
    expect([records.duration('step-1'), records.duration('step-250')]).toEqual([1, undefined]);
    expect(await mendStore(path)).toBeUndefined();
  });

  it('is left alone while another process uses it', async () => {
    const path = await damagedStore(() => undefined);
    const other = await freshStore(path);
    await other.scratch('in use');
    const file = join(path, 'db/data.mdb');
    writeFileSync(file, readFileSync(file).fill(0, 8192));
    await expect(mendStore(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('though made up as it should be, gives no record that is not what was written', async () => {
    const path = await damagedStore((page, found) => page.write('step-251', found));
    await expect(openStore(path)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    const other = await damagedStore((page, found) => {
      page[found + 'step-250'.length + 5]! ^= 1;
    });
    const store = await freshStore(other);
    expect(store.records.duration('step-249')).toBe(249);
    expect(() => store.records.duration('step-250')).toThrow(
      expect.objectContaining({
        code: 'STORE_CORRUPT',
        message: expect.stringMatching(/step-250/) as string,
      }),
    );
    const maintenance = await store.maintenance();
    const { damages } = await maintenance.verify();
    expect(damages).toEqual([{ kind: 'record', table: 'durations', key: 'step-250' }]);
    await maintenance.setAside(damages);
    expect(store.records.duration('step-250')).toBeUndefined();
    expect((await maintenance.verify()).damages).toEqual([]);
  });
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
