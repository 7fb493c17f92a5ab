// Reading what need not be there. Knows no store.

import { readFile } from 'node:fs/promises';
import { isErrno } from './errors.ts';

/** A file's text, as UTF-8; undefined when there is no such file. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
