// Who holds something: one open store of one process. Whether that process lives is asked through its session's folder.

import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Layout } from '../layout.ts';

export interface Owner {
  /** The session's id, which no other has or will have. */
  readonly session: string;
  /** As the process itself sees it: for people only, since in another namespace it means another process. */
  readonly pid: number;
  readonly host: string;
}

/** This process, as the owner of what a session of it holds. */
export function ownerOf(session: string): Owner {
  return { session, pid: process.pid, host: hostname() };
}

/** `process 1234 on HOST`, for people. */
export function describeOwner(owner: Owner): string {
  return `process ${owner.pid} on ${owner.host}`;
}

/** Differs after every start of the machine, and between machines. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/**
 * The folder of the database that is not flushed. After a start of the machine it could be damaged, so each start has one of
 * its own.
 */
export function volatileDatabase({ database }: Layout): string {
  return `${database}/boot-${bootId()}`;
}
