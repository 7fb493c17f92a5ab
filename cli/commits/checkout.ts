// Commits of a person's repository as folders, without touching its work tree, its index or its branches: a repository of our
// own in the person's cache, which has no objects but borrows theirs. It stays there, so that going on to another commit
// costs what differs, and is one of a store and a repository: cairn imports from a folder it knows. It may be deleted.

import { hash } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Lock, Store } from '../../store/index.ts';
import { git, GitRefusal } from './git.ts';
import type { Repository } from './repository.ts';

export interface Checkout extends AsyncDisposable {
  /** The top of the work tree. */
  readonly top: string;
  /** What stands for the folder that the person named. */
  readonly folder: string;
  /** Makes it hold a commit, and nothing that was left there. */
  at(id: string): Promise<void>;
}

/** A checkout that nobody else has now. */
export async function openCheckout(
  repository: Repository,
  { store, env }: { readonly store: Store; readonly env: NodeJS.ProcessEnv },
): Promise<Checkout> {
  const { top, lock } = await freePlace(repository, { store, env });
  try {
    await prepare(top, repository);
  } catch (error) {
    await lock.release();
    throw error;
  }
  return {
    top,
    folder: join(top, repository.below),
    at: async (id) => {
      await git(top, ['checkout', '--quiet', '--force', '--detach', id, '--']);
      await git(top, ['clean', '--quiet', '-ffdx']);
    },
    [Symbol.asyncDispose]: () => lock.release(),
  };
}

// The same place again whenever it is free. Where two are at work on one repository, the other one takes the next.
async function freePlace(
  { objects }: Repository,
  { store, env }: { readonly store: Store; readonly env: NodeJS.ProcessEnv },
): Promise<{ top: string; lock: Lock }> {
  const caches = env['XDG_CACHE_HOME'] ?? '';
  const folder = join(caches === '' ? join(homedir(), '.cache') : caches, 'cairn/commits');
  const name = hash('sha256', `${store.path}\0${objects}`, 'hex').slice(0, 16);
  for (let at = 1; ; at++) {
    const top = join(folder, `${name}-${at}`);
    const lock = await store.locks.tryAcquire(`commits:${top}`);
    if (lock.kind === 'lock') return { top, lock };
  }
}

// Whatever an earlier one that was killed has left there is either put right or thrown away.
async function prepare(top: string, repository: Repository): Promise<void> {
  await mkdir(top, { recursive: true });
  try {
    await borrow(top, repository);
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    await rm(top, { recursive: true, force: true });
    await mkdir(top, { recursive: true });
    await borrow(top, repository);
  }
}

// As the content of a commit is: the same for everybody, whatever ends of lines and programs somebody has configured.
const settings = {
  'core.autocrlf': 'false',
  'core.fsmonitor': 'false',
  'core.hooksPath': '/dev/null',
  'gc.auto': '0',
  'advice.detachedHead': 'false',
};

async function borrow(top: string, { objects, format, shallow }: Repository): Promise<void> {
  await git(top, ['init', '--quiet', `--object-format=${format}`]);
  await writeFile(join(top, '.git/objects/info/alternates'), `${objects}\n`);
  if (shallow === undefined) await rm(join(top, '.git/shallow'), { force: true });
  else await writeFile(join(top, '.git/shallow'), shallow);
  await rm(join(top, '.git/index.lock'), { force: true });
  for (const [name, value] of Object.entries(settings)) await git(top, ['config', name, value]);
}
