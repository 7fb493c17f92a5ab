// Starts this very command once more, in a process of another number. Knows nothing of why.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { isatty } from 'node:tty';

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
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    // It decides what a signal means, and whether it is the second: who listened here would end before it.
    process.removeAllListeners(name);
    process.on(name, () => {
      if (!comesFromTerminal(name)) child.kill(name);
    });
  }
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  // As a shell says it.
  return status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

// A terminal tells all of its foreground processes, so the other one has heard of it.
function comesFromTerminal(name: NodeJS.Signals): boolean {
  return name !== 'SIGTERM' && [0, 1, 2].some((descriptor) => isatty(descriptor));
}

function startsBefore(env: NodeJS.ProcessEnv): number {
  return Number(env[countName] ?? 0);
}
