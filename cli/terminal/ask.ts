// A question to a person, on the terminal.

import { createInterface } from 'node:readline/promises';
import type { Context } from '../context.ts';

/** True when a person can be asked. */
export function canAsk({ err, shared }: Context): boolean {
  return process.stdin.isTTY && err.isTerminal && shared.json !== true;
}

/** Asks for a yes; anything else is a no. */
export async function askYes({ signal }: Context, question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    lines.close();
  }
}
