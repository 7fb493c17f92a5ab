// Several processes that open one database, write to it and close it at once: LMDB alone does not keep them apart in that.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { Database } from '../../store/records/database.ts';
import { lockFilePath } from '../../store/records/lock-file.ts';
import { builtScript } from '../support/built-script.ts';
import { tempFolder } from '../support/temp-folder.ts';

const countProgram = 'test/support/programs/count-in-database.ts';

/** For `node --import`: a word on standard error whenever its main thread pauses before it tries again. */
const saysWhenItWaits = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  const { wait } = Atomics;
  Atomics.wait = (...args) => (writeSync(2, 'waits '), wait(...args));
`)}`;

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, args, { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** How a process ended, and what it complained of. */
async function endOf(child: ChildProcess): Promise<string> {
  const [end, complaint] = await Promise.all([once(child, 'exit'), text(child.stderr!)]);
  const [status, signal] = end as [number | null, string | null];
  return `${String(status ?? signal)} ${complaint}`;
}

/** Changes a file where it is: none is made, and none has to be opened again. */
function changeFile(path: string, at: number, change: (bytes: Buffer) => void, size: number): void {
  const file = openSync(path, 'r+');
  try {
    const bytes = Buffer.alloc(size);
    readSync(file, bytes, 0, size, at);
    change(bytes);
    writeSync(file, bytes, 0, size, at);
  } finally {
    closeSync(file);
  }
}

/** What another process does that has read the number of the last commit before it was made, and opens the database. */
function setLastCommitBack(folder: string): void {
  changeFile(lockFilePath(folder), 8, (bytes) => bytes.writeBigUInt64LE(bytes.readBigUInt64LE() - 1n), 8);
}

function numberIn(content: Uint8Array | undefined): number {
  return Number(Buffer.from(content ?? []).toString());
}

test('nothing is lost that processes write that open and close the database all the time', async () => {
  const script = await builtScript(countProgram);
  const folder = tempFolder('database');
  const ends = await Promise.all(['1', '2', '3', '4'].map(() => endOf(start(script, folder, '150', '5'))));
  expect(ends).toEqual(['0 ', '0 ', '0 ', '0 ']);
  const database = Database.open(folder, { durable: false });
  expect(numberIn(database.table('locks').get('count'))).toBe(4 * 150 * 5);
  expect(await database.damages()).toEqual([]);
  await database.close();
});

test('a database that is opened while another process commits is written to from the last commit on', async () => {
  const folder = tempFolder('database');
  const database = Database.open(folder, { durable: false });
  for (let count = 1; count <= 20; count++) {
    database.transactionSync(() => {
      const table = database.table('locks');
      expect(numberIn(table.get('count'))).toBe(count - 1);
      table.putSync('count', Buffer.from(`${count}`));
    });
    setLastCommitBack(folder);
  }
  expect(await database.damages()).toEqual([]);
  await database.close();
});

test('so is one that is flushed, by all transactions that share a commit', async () => {
  const folder = tempFolder('database');
  const database = Database.open(folder, { durable: true });
  const add = (): Promise<void> =>
    database.transaction(() => {
      const table = database.table('state');
      void table.put('count', Buffer.from(`${numberIn(table.get('count')) + 1}`));
    });
  for (let round = 1; round <= 20; round++) {
    await Promise.all([add(), add(), add()]);
    setLastCommitBack(folder);
  }
  expect(await database.damages()).toEqual([]);
  database.refresh();
  expect(numberIn(database.table('state').get('count'))).toBe(60);
  await database.close();
});

test('a database can be opened though the last process that had it open was just closing it', async () => {
  const [count, hold] = await Promise.all([
    builtScript(countProgram),
    builtScript('test/support/programs/hold-database.ts'),
  ]);
  const folder = tempFolder('database');
  const last = start(hold, folder);
  await once(last.stdout!, 'data');
  // pthread_mutex_destroy(3), as glibc has it: a mutex's kind, of one that is shared and robust, becomes -1.
  changeFile(
    lockFilePath(folder),
    0,
    (head) => {
      const kinds = [...Array(head.length / 4).keys()].filter((at) => head.readInt32LE(at * 4) === 0x90);
      expect(kinds.length).toBe(3);
      for (const at of kinds) head.writeInt32LE(-1, at * 4);
    },
    192,
  );
  const next = start(`--import=${saysWhenItWaits}`, count, folder, '1', '1');
  const end = endOf(next);
  // It has met them then.
  await once(next.stderr!, 'data');
  last.stdin!.end();
  expect(await end).toMatch(/^0 (waits )+$/);
  const database = Database.open(folder, { durable: false });
  expect(numberIn(database.table('locks').get('count'))).toBe(1);
  await database.close();
});
