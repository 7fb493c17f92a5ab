// The number of the last commit. LMDB has it twice: in the file, with the state that was committed, and in the lock file, where
// whoever begins a transaction takes it from. A process that opens the database puts there what it has read in the file a moment
// before (mdb.c, mdb_env_open2), though another may have committed meanwhile: then who writes next would begin with an older
// state, lose what was committed since, and write over its pages. Known from within a write transaction, when nobody commits.

import { fstatSync, readdirSync, statSync, writeSync } from 'node:fs';
import { bug } from '../base/errors.ts';
import { lockFilePath } from './lock-file.ts';
import type { Environment } from './open-lmdb.ts';

/** Where the lock file has the number, as u64: mdb.c, MDB_txbody. */
const numberAt = 8;

/**
 * True when the write transaction that is under way began from the last commit, as it has to. Otherwise the next one will: nothing
 * may be written in this one, and it has to be ended by committing it, since LMDB counts one that is given up.
 */
export function beginsFromLastCommit(environment: Environment, folder: string): boolean {
  const { lastTxnId: last } = environment.getStats() as { readonly lastTxnId: number };
  if (environment.getWriteTxnId() === last + 1) return true;
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(last));
  writeSync(lockFileOfLmdb(folder), bytes, 0, bytes.length, numberAt);
  return false;
}

// LMDB's own descriptor: with the closing of any other, the kernel would take back the locks that this process has on the file.
function lockFileOfLmdb(folder: string): number {
  const { dev, ino } = statSync(lockFilePath(folder));
  const descriptor = readdirSync('/proc/self/fd')
    .map(Number)
    .find((open) => {
      try {
        const stats = fstatSync(open);
        return stats.dev === dev && stats.ino === ino;
      } catch {
        // The one by which the folder was listed.
        return false;
      }
    });
  return descriptor ?? bug(`LMDB's lock file in ${folder} is not open`);
}
