// Opens LMDB, as it is set up for all databases. The only file that does.

import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { join } from 'node:path';
import type * as lmdb from 'lmdb';
import { UserError } from '../base/errors.ts';
import { shareAlike } from '../base/make-folder.ts';
import { explainWriteError } from '../content/disk-errors.ts';
import { databaseCorrupt } from './database-errors.ts';
import { makeLockFile } from './lock-file.ts';

/** The file in a database's folder that holds its pages. */
export const dataFile = 'data.mdb';

export type Environment = lmdb.RootDatabase<Buffer, string>;

/** Address space reserved for the map, not disk space: the file grows as it is filled. */
const mapBytes = 2 ** 38;

/** How many processes may read at once. */
const readers = 1000;

interface NativeEnvironment {
  beginTxn(flags: number): void;
  abortTxn(): void;
  getWriteTxnId(): number;
  close(): void;
}

interface NativeTransaction {
  abort(): void;
}

/** lmdb.h, MDB_RDONLY. */
const readOnly = 0x20000;

// Its CommonJS form is one file and loads in two thirds of the time that its modules take.
const { nativeAddon, open } = createRequire(import.meta.url)('lmdb') as typeof lmdb & {
  readonly nativeAddon: {
    readonly Env: { readonly prototype: NativeEnvironment };
    readonly Txn: new (environment: NativeEnvironment, flags: number) => NativeTransaction;
  };
};

// What lmdb-js opened last. It begins a transaction then, and when that fails it forgets what it has opened without closing it.
let lastOpened: NativeEnvironment | undefined;
Object.defineProperty(nativeAddon.Env.prototype, 'path', {
  set(this: NativeEnvironment, path: string) {
    noteOpened(this, path);
  },
});

function noteOpened(environment: NativeEnvironment, path: string): void {
  lastOpened = environment;
  const begin = environment.beginTxn.bind(environment);
  Object.defineProperties(environment, {
    path: { value: path },
    beginTxn: { value: (flags: number) => beginOrThrow(environment, () => begin(flags)) },
  });
}

// lmdb-js does not ask whether a synchronous transaction could begin (env.cpp, EnvWrap::beginTxn): it goes on with one that it
// has not got, and complains on standard error.
function beginOrThrow(environment: NativeEnvironment, begin: () => void): void {
  begin();
  if (environment.getWriteTxnId() !== 0) return;
  environment.abortTxn();
  throw Object.assign(new Error('a transaction could not begin'), { code: constants.errno.EINVAL });
}

/** @throws UserError `STORE_UNUSABLE`, `STORE_NUMBER_TAKEN`, `STORE_CORRUPT`, `DISK_FULL`. */
export function openLmdb(folder: string, options: { readonly durable: boolean }): Environment {
  try {
    makeLockFile(folder, readers);
    const environment = openOrClose({
      path: folder,
      noSubdir: false,
      encoding: 'binary',
      maxDbs: 16,
      maxReaders: readers,
      mapSize: mapBytes,
      // LMDB's own order: data, flush, meta page, flush. A commit that has resolved is on the disk.
      overlappingSync: false,
      // Else lmdb-js makes promises that nobody is given, and that fail with the commit.
      eventTurnBatching: false,
      ...(options.durable ? {} : { noSync: true }),
    });
    shareAlike(join(folder, dataFile));
    return environment;
  } catch (cause) {
    throw openError(folder, cause);
  }
}

// Whoever closes a database last destroys the mutexes in its lock file (mdb.c, mdb_env_close_active), though another process may
// be waiting to open it that counts on them: that one's first transaction fails (EINVAL). Closed then, it can be opened again,
// and whoever does that first makes the mutexes anew. Left open, it would be found by the next attempt, which takes this
// process's locks on the lock file away (fcntl(2)): then a third process thinks that it is the first.
function openOrClose(options: lmdb.RootDatabaseOptionsWithPath): Environment {
  lastOpened = undefined;
  try {
    const environment = open<Buffer, string>(options);
    beginToRead(lastOpened);
    return environment;
  } catch (error) {
    (lastOpened as NativeEnvironment | undefined)?.close();
    throw error;
  }
}

// Readers are told apart by the numbers of their processes, each of which locks the byte of its number (mdb.c, mdb_reader_pid) when
// it reads for the first time. Another container may have a process of our number. lmdb-js would wait for ten seconds, and go on
// with a transaction that it has not got; what has read once, may read until it is closed.
function beginToRead(opened: NativeEnvironment | undefined): void {
  // Undefined when this process had it open already.
  if (opened === undefined) return;
  try {
    new nativeAddon.Txn(opened, readOnly).abort();
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes('Resource temporarily unavailable'))
      throw numberTaken(cause);
    throw cause;
  }
}

function numberTaken(cause: Error): UserError {
  return new UserError(
    'STORE_NUMBER_TAKEN',
    `another container has a process ${process.pid} as well, and that uses the store`,
    {
      hint: 'The database tells processes apart by their numbers: start this one once more, so that it gets another.',
      fault: 'environment',
      cause,
    },
  );
}

function openError(folder: string, cause: unknown): UserError {
  if (cause instanceof UserError) return cause;
  const explained = explainWriteError(cause, folder);
  if (explained instanceof UserError) return explained;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (/Permission denied|Read-only/.test(message)) {
    return new UserError('STORE_UNUSABLE', `the store's database in ${folder} cannot be written`, {
      hint: 'Give this user write access to the store, or name another with CAIRN_STORE.',
      fault: 'environment',
      cause,
    });
  }
  return databaseCorrupt(folder, message, cause);
}
