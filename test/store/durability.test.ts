// What a commit promises when power is lost: files are on the disk before anything names them.

import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { digestHash, digestOf } from '../../store/base/digest.ts';
import { freshStore } from './fresh-store.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Files of the store that have a blob's name. */
function blobFiles(store: string): string[] {
  return readdirSync(join(store, 'blobs')).flatMap((shard) => readdirSync(join(store, 'blobs', shard)));
}

it('a batch with a file that cannot be made durable is not there at all', async () => {
  const store = await freshStore();
  const batch = store.begin();
  const digests = ['one', 'two'].map((text) => batch.addBytes(Buffer.from(text)));
  // A socket can be renamed, and nobody can flush it.
  const inFlight = readdirSync(join(store.path, 'tmp'), { recursive: true, encoding: 'utf8' });
  const name = inFlight.find((path) => path.endsWith(`/${digestHash(digests[1]!)}`));
  const file = join(store.path, 'tmp', name!);
  rmSync(file);
  const server = createServer().listen(file);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  await expect(batch.commit((records) => records.putDuration('step', 12))).rejects.toThrow();
  expect(blobFiles(store.path)).toEqual([]);
  expect(store.records.duration('step')).toBeUndefined();
});

it('of many files, none has its name before the file system is flushed', async () => {
  const store = await freshStore();
  const folder = tempFolder('programs');
  const program = join(folder, 'sync');
  const seen = join(folder, 'seen');
  // Looks at the store first, and then does what it is called for.
  const path = process.env['PATH']!;
  const script = `#!/bin/sh\nls "${store.path}"/blobs/* >"${seen}"\nPATH='${path}' exec sync "$@"\n`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  process.env['PATH'] = `${folder}${delimiter}${path}`;
  onTestFinished(() => void (process.env['PATH'] = path));
  const batch = store.begin();
  const texts = Array.from({ length: 9 }, (_, at) => `file ${at}`);
  for (const text of texts) batch.addBytes(Buffer.from(text));
  await batch.commit();
  const names = texts.map((text) => digestHash(digestOf(Buffer.from(text)))).sort();
  expect(blobFiles(store.path).sort()).toEqual(names);
  expect(names.filter((name) => readFileSync(seen, 'utf8').includes(name))).toEqual([]);
});
