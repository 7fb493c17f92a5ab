// One open store's folder for things in flight, with a sign that its process lives. What dead processes left is swept.

import { lstatSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { isErrno } from '../base/errors.ts';
import { removeTree } from '../base/remove-tree.ts';
import type { Layout } from '../layout.ts';
import { SignOfLife, showsLife } from './sign-of-life.ts';

/** Begins the name of a folder that does not show life yet. After so long, its process has died over it. */
const unborn = 'new-';
const longestBirthMs = 10 * 60 * 1000;

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
    if (this.#life !== undefined) return;
    const folder = `${this.#layout.temporary}/${unborn}${this.id}`;
    mkdirSync(folder, { recursive: true });
    this.#life = new SignOfLife(folder);
    renameSync(folder, this.#folder);
  }

  /** A path in the session's folder that nobody uses. Nothing is there yet. */
  freshPath(label: string): string {
    this.enter();
    return `${this.#folder}/${label}-${++this.#made}`;
  }

  freshFolder(label: string): string {
    const folder = this.freshPath(label);
    mkdirSync(folder);
    return folder;
  }

  close(): void {
    if (this.#life === undefined) return;
    removeTree(this.#folder);
    this.#life.end();
  }
}

/** True unless the session's process has surely ended. */
export function isAlive(layout: Layout, session: string): Promise<boolean> {
  return showsLife(sessionFolder(layout, session));
}

/** Removes what processes that have ended left behind in flight. */
export async function sweepDeadSessions(layout: Layout): Promise<void> {
  for (const name of readdirSync(layout.temporary)) {
    const folder = `${layout.temporary}/${name}`;
    if (name.startsWith(unborn) ? isStillborn(folder) : !(await showsLife(folder))) sweep(folder);
  }
}

// What cannot be removed now, another user's for example, must not keep the rest from being swept.
function sweep(folder: string): void {
  try {
    removeTree(folder);
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM')) throw error;
  }
}

function isStillborn(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > longestBirthMs;
}

function sessionFolder(layout: Layout, session: string): string {
  return `${layout.temporary}/${session}`;
}
