// One open store's folder for things in flight. Its name tells its owner, so that what a dead process left is swept.

import { mkdirSync, readdirSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import type { Layout } from '../layout.ts';
import { formatOwner, isAlive, parseOwner, thisProcess } from './owner.ts';
import { removeTree } from '../base/remove-tree.ts';

/** Made on disk by the first that writes: its folder also tells garbage collection that the store is in use. */
export class Session {
  /** Tells this session from all others, ever. */
  readonly id: string;
  readonly #folder: string;
  #isEntered = false;
  #made = 0;

  constructor(layout: Layout) {
    this.id = `${formatOwner(thisProcess())}.${randomBytes(4).toString('hex')}`;
    this.#folder = `${layout.temporary}/${this.id}`;
  }

  /** Makes the session known. */
  enter(): void {
    if (!this.#isEntered) mkdirSync(this.#folder, { recursive: true });
    this.#isEntered = true;
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
    if (this.#isEntered) removeTree(this.#folder);
  }
}

/** Removes what processes that have ended left behind in flight. */
export function sweepDeadSessions(layout: Layout): void {
  for (const name of readdirSync(layout.temporary)) {
    const owner = parseOwner(name.slice(0, name.lastIndexOf('.')));
    if (owner !== undefined && !isAlive(owner)) removeTree(`${layout.temporary}/${name}`);
  }
}

/** The owner a session's id names. */
export function sessionOwner(id: string): ReturnType<typeof parseOwner> {
  return parseOwner(id.slice(0, id.lastIndexOf('.')));
}
