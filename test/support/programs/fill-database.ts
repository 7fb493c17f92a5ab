// Fills the disk that a database lies on, and says how what is asked of the database then ends: `fill-database ACTION FOLDER`.
// Tests give it a small disk.

import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isErrno } from '../../../store/base/errors.ts';
import { Database } from '../../../store/records/database.ts';

const [action, disk] = process.argv.slice(2) as [string, string];
const [folder, filler] = [`${disk}/db`, `${disk}/filler`];
const ends = new Map<string, number>();
mkdirSync(folder);

const actions: Readonly<Record<string, () => Promise<void>>> = {
  // Commits that fail together and one after another, while others look into tables that nobody has opened yet.
  commits: async () => {
    const database = Database.open(folder, { durable: true });
    await attempt(() => write(database, 'before', 50));
    fill();
    for (let round = 0; round < 40; round++) {
      const commits = Array.from({ length: 4 }, (_, at) =>
        attempt(() => write(database, `${round}-${at}`, 30)),
      );
      await setImmediate();
      const table = (['state', 'settled', 'last-uses', 'cached'] as const)[round % 4]!;
      await attempt(() => void database.table(table).get('x'));
      if (round % 2 === 0) await attempt(() => database.damages());
      await Promise.all(commits);
    }
    rmSync(filler);
    await write(database, 'after', 50);
    process.stdout.write(`damages: ${(await database.damages()).length}\n`);
    await database.close();
  },
  // What is not flushed, opened for the first time since the machine started.
  open: async () => {
    fill();
    await attempt(() => Database.open(folder, { durable: false }));
    rmSync(filler);
    const database = Database.open(folder, { durable: false });
    database.transactionSync(() => database.table('locks').putSync('key', Buffer.alloc(10)));
    await database.close();
  },
};
await actions[action]!();
for (const [end, times] of ends) process.stdout.write(`${end}: ${times}\n`);

function write(database: Database, name: string, records: number): Promise<void> {
  return database.transaction(() => {
    for (let at = 0; at < records; at++)
      void database.table('memos').put(`${name}-${at}`, Buffer.alloc(1000));
  });
}

async function attempt(work: () => unknown): Promise<void> {
  let end = 'done';
  try {
    await work();
  } catch (error) {
    end = String((error as { readonly code?: unknown }).code ?? error);
  }
  ends.set(end, (ends.get(end) ?? 0) + 1);
}

function fill(): void {
  const file = openSync(filler, 'w');
  for (let size = 1 << 18; size >= 1; size >>= 1) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size));
    } catch (error) {
      if (!isErrno(error, 'ENOSPC')) throw error;
    }
  }
  closeSync(file);
}
