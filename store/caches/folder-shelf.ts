// A cache's files in a folder, which may be on another machine. Everything is written beside and renamed into place, so that any
// number of machines may push at once; lines are appended in one write.

import { randomBytes } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isErrno } from '../base/errors.ts';
import { makeOwnFolders } from '../base/make-folder.ts';
import { otherKind, UnreadableFile } from '../base/named-file.ts';
import type { Shelf, ShelfContent } from './shelf.ts';

export class FolderShelf implements Shelf {
  readonly name: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.name = pathToFileURL(folder).href;
  }

  async read(name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    try {
      const path = join(this.#folder, name);
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const other = otherKind(await file.stat());
      if (other !== undefined) {
        await file.close();
        throw new UnreadableFile(path, 'EFTYPE', other);
      }
      return createReadStream('', {
        fd: file,
        signal,
        highWaterMark: 256 * 1024,
      }) as AsyncIterable<Uint8Array>;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async has(name: string): Promise<boolean> {
    try {
      return (await stat(join(this.#folder, name))).isFile();
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
  }

  async write(name: string, { chunks }: ShelfContent, signal: AbortSignal): Promise<void> {
    const path = join(this.#folder, name);
    makeOwnFolders(dirname(path));
    const part = `${path}.${randomBytes(8).toString('hex')}.part`;
    try {
      const file = await open(part, 'wx');
      try {
        for await (const chunk of chunks()) {
          signal.throwIfAborted();
          await file.writeFile(chunk);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#folder, name), { force: true });
  }

  async names(): Promise<readonly string[]> {
    const found = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => join(relative(this.#folder, parentPath), name))
      .sort();
  }

  async append(name: string, lines: string): Promise<void> {
    const path = join(this.#folder, name);
    makeOwnFolders(dirname(path));
    const file = await open(path, 'a');
    try {
      const bytes = Buffer.from(lines);
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten < bytes.byteLength) throw new Error(`only part of ${path} could be written`);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
