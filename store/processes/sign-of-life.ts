// A sign of life that the kernel takes back when its process ends, however it ends: a unix socket that is listened on.
// Whoever may be asking, in whichever container of this machine, learns it by connecting, where a process id would name
// another process. unix(7): ECONNREFUSED when nobody listens any more. Knows nothing of what the folder is for.

import { chmodSync, closeSync, constants, lstatSync, openSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { isErrno } from '../base/errors.ts';

const name = 'alive';

/** This process's sign of life in a folder. */
export class SignOfLife {
  readonly #server: Server;
  readonly #folder: number;

  /** @param folder exists, and may be renamed later on */
  constructor(folder: string) {
    this.#folder = openFolder(folder);
    this.#server = createServer((asking) => asking.destroy());
    // Somebody asking is nothing that this process has to wait for.
    this.#server.on('error', () => undefined).unref();
    this.#server.listen(pathIn(this.#folder));
    try {
      // Listening begins at once, before any event.
      if (lstatSync(`${folder}/${name}`, { throwIfNoEntry: false })?.isSocket() !== true)
        throw Object.assign(new Error(`no socket can be made in ${folder}`), { code: 'EACCES' });
      chmodSync(`${folder}/${name}`, 0o666);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  end(): void {
    this.#server.close(() => closeSync(this.#folder));
  }
}

/** False when the process whose sign of life is in this folder has surely ended, or never gave one. */
export async function showsLife(folder: string): Promise<boolean> {
  let opened: number;
  try {
    opened = openFolder(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    if (!isErrno(error, 'EACCES')) throw error;
    // A folder of our own that is shut was shut by what ran in it; another user's is none of our business.
    if (lstatSync(folder, { throwIfNoEntry: false })?.uid !== process.getuid?.()) return true;
    chmodSync(folder, 0o700);
    return showsLife(folder);
  }
  try {
    return await answers(pathIn(opened));
  } finally {
    closeSync(opened);
  }
}

// Whoever has too many questions waiting, or does not let us ask, lives.
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = createConnection(path);
    connection.once('connect', () => {
      connection.destroy();
      resolve(true);
    });
    connection.once('error', (error) => resolve(!isErrno(error, 'ENOENT', 'ECONNREFUSED')));
  });
}

function openFolder(folder: string): number {
  return openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
}

// The address of a socket holds 107 bytes, less than many a path has.
function pathIn(folder: number): string {
  return `/proc/self/fd/${folder}/${name}`;
}
