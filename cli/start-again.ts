// Starts this very command once more, in a process of another number. Knows nothing of why.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

/** How many processes there have been before this one. */
const countName = 'CAIRN_STARTED_AGAIN';

/** Containers that are alike use the same numbers; of so many at once on one store nobody has been heard. */
const limit = 32;

/** Whether it has been tried often enough. */
export function canStartAgain(env: NodeJS.ProcessEnv): boolean {
  return startsBefore(env) < limit;
}

/** Runs it with this process's streams. Signals that come meanwhile are passed on. Resolves to the status to end with. */
export async function startAgain(env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...env, [countName]: String(startsBefore(env) + 1) },
  });
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  // As a shell says it.
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

function startsBefore(env: NodeJS.ProcessEnv): number {
  return Number(env[countName] ?? 0);
}
