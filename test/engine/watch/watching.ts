// A real watcher on real folders, for tests: what it tells is gathered, and waited for.

import { onTestFinished } from 'vitest';
import { FileWatcher } from '../../../engine/watch/file-watcher.ts';
import type { Places } from '../../../engine/watch/places.ts';
import { freshStore } from '../../store/fresh-store.ts';

export interface Watching {
  readonly watcher: FileWatcher;
  /** What was told since this was last asked for. */
  readonly take: () => ReadonlySet<string>;
  /** Waits until something that `isIt` has been told, and forgets what was told until then. */
  readonly told: (isIt: string | ((path: string) => boolean)) => Promise<void>;
  /** Has it look over what it watches until it has nothing more to say, as looks of a build do. */
  readonly settle: () => Promise<void>;
}

/** The word for "nobody knows what". */
export const anything = 'anything';

export async function watching(places: Places): Promise<Watching> {
  const store = await freshStore();
  const told = new Set<string>();
  let news = (): void => undefined;
  // An object, since it changes between two lines of `settle`.
  const state: { isUnsure: boolean } = { isUnsure: true };
  const hear = (paths: Iterable<string>): void => {
    for (const path of paths) told.add(path);
    news();
  };
  const watcher = new FileWatcher({
    rulesOf: ({ path, exclude }) => store.importRules(path, { exclude }),
    store: store.path,
    onChange: (changed) => hear(changed === 'anything' ? [anything] : changed),
    onAside: () => undefined,
    onUnsure: () => {
      state.isUnsure = true;
      news();
    },
    onError: (error) => {
      throw error;
    },
  });
  onTestFinished(() => watcher.close());
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
  const settle = async (): Promise<void> => {
    state.isUnsure = true;
    while (state.isUnsure) {
      state.isUnsure = false;
      await watcher.watch(places);
      do await pause();
      while (!watcher.isReady());
      // What is young is looked into again only when it has settled.
      await new Promise((resolve) => setTimeout(resolve, 600));
    }
    told.clear();
  };
  await settle();
  return {
    watcher,
    settle,
    take: () => {
      const paths = new Set(told);
      told.clear();
      return paths;
    },
    told: async (isIt) => {
      const isTold = (): boolean =>
        [...told].some((path) => (typeof isIt === 'string' ? path === isIt : isIt(path)));
      while (!isTold()) await new Promise<void>((resolve) => (news = resolve));
      told.clear();
    },
  };
}
