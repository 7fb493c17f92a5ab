// How many connections this process has room for: each may have two files open besides, what comes and what is made of it, and what
// the system does not give is an error for whoever asks at that moment.

import { readFileSync } from 'node:fs';

/** For the store, its database, and what comes and goes. */
const reservedFiles = 100;
const fewestConnections = 16;
/** Itself among them. */
const filesOfConnection = 3;

/** As many as are wanted, or as this process may have. */
export function connectionsWithin(wanted: number, limit = openFiles()): number {
  return Math.max(
    fewestConnections,
    Math.min(wanted, Math.floor((limit - reservedFiles) / filesOfConnection)),
  );
}

// Node has raised it as far as it may be.
function openFiles(): number {
  try {
    const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === '' ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
