// A store of its own for a test, closed and removed when the test ends.

import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore, type Store } from '../../store/index.ts';
import { tempFolder } from '../support/temp-folder.ts';

/** Opens the store in `path`, by default a fresh one. */
export async function freshStore(path: string = join(tempFolder('store'), 'store')): Promise<Store> {
  const store = await openStore(path);
  onTestFinished(() => store.close());
  return store;
}
