// One open store's folder for things in flight, with a sign that its process lives. What dead processes left is swept.

import { existsSync, readdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { isErrno } from '../base/errors.ts';
import { makeFolder, makeFolders } from '../base/make-folder.ts';
import { removeTree } from '../base/remove-tree.ts';
import { renameIfThere } from '../base/rename-if-there.ts';
import type { Layout } from '../layout.ts';
import { SignOfLife, showsLife } from './sign-of-life.ts';

/**
 * Begins the name of a folder that does not show life yet. Whoever sweeps takes it away, whether its process has died over
 * it or not: one that lives notices when it names the folder, and begins again.
 */
const unborn = 'new-';
/** Begins the name of a folder that is being deleted: it was renamed first, so that no session is half there. */
const ended = 'ended-';

/** Made on disk by the first that writes or holds something. */
export class Session {
  /** Tells this session from all others, ever. */
  readonly id = randomBytes(12).toString('hex');
  readonly #layout: Layout;
  readonly #folder: string;
  #life: SignOfLife | undefined;
  #made = 0;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#folder = sessionFolder(layout, this.id);
  }

  /** Makes the session known. It has its name only once it shows life. */
  enter(): void {
    while (this.#life === undefined) this.#life = this.#begin();
  }

  // Undefined when somebody has swept the folder meanwhile.
  #begin(): SignOfLife | undefined {
    const folder = `${this.#layout.temporary}/${unborn}${randomBytes(12).toString('hex')}`;
    makeFolders(folder);
    let life: SignOfLife | undefined;
    try {
      life = new SignOfLife(folder);
      if (renameIfThere(folder, this.#folder)) return life;
    } catch (error) {
      if (existsSync(folder)) throw error;
    }
    life?.end();
    return undefined;
  }

  /** A path in the session's folder that nobody uses. Nothing is there yet. */
  freshPath(label: string): string {
    this.enter();
    return `${this.#folder}/${label}-${++this.#made}`;
  }

  freshFolder(label: string): string {
    const folder = this.freshPath(label);
    makeFolder(folder);
    return folder;
  }

  /** Removes what processes that have ended left behind in flight. */
  async sweep(): Promise<void> {
    this.enter();
    await sweepDeadSessions(this.#layout);
  }

  close(): void {
    if (this.#life === undefined) return;
    const life = this.#life;
    // Once only: the number of its folder may mean another file by then.
    this.#life = undefined;
    sweep(this.#layout, this.id);
    life.end();
  }
}

/** True unless the session's process has surely ended. */
export function isAlive(layout: Layout, session: string): Promise<boolean> {
  return showsLife(sessionFolder(layout, session));
}

/** The sessions of this store whose processes live. */
export async function livingSessions(layout: Layout): Promise<Set<string>> {
  const names = readdirSync(layout.temporary).filter(
    (name) => !name.startsWith(unborn) && !name.startsWith(ended),
  );
  const alive = await Promise.all(names.map((name) => isAlive(layout, name)));
  return new Set(names.filter((_, at) => alive[at]));
}

async function sweepDeadSessions(layout: Layout): Promise<void> {
  for (const name of readdirSync(layout.temporary))
    if (!(await showsLife(`${layout.temporary}/${name}`))) sweep(layout, name);
}

// What cannot be removed now, another user's for example, must not keep the rest from being swept. Its owner can, later.
function sweep(layout: Layout, name: string): void {
  try {
    removeAway(layout, name);
  } catch (error) {
    // Not empty: whoever begins there has just put something in.
    if (!isErrno(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw error;
  }
}

function removeAway({ temporary }: Layout, name: string): void {
  const away = name.startsWith(ended) ? name : `${ended}${name}`;
  if (name === away || renameIfThere(`${temporary}/${name}`, `${temporary}/${away}`))
    removeTree(`${temporary}/${away}`);
}

function sessionFolder(layout: Layout, session: string): string {
  return `${layout.temporary}/${session}`;
}
