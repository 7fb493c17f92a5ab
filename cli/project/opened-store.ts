// A store for commands that need no project, closed when they end.

import { openStore, type Store } from '../../store/index.ts';
import type { Context } from '../context.ts';

/** The store that the command line names. @throws UserError `STORE_UNUSABLE`, `STORE_VERSION`. */
export async function withStore<T>({ shared }: Context, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(shared.store);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
