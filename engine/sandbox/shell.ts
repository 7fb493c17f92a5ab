// A shell for a person, in exactly the sandbox of a step or in what a failed one left. Knows nothing of targets.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { constants, availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../../store/index.ts';
import type { BuildRequest, Variation } from '../execute/executor.ts';
import { sandboxCommand } from './command.ts';
import { conditionsFor } from './conditions.ts';
import type { FailedStep } from './failed-steps.ts';
import { makeGuise } from './guise.ts';
import { mountsOf } from './mounts.ts';
import { ReaddirOrder } from './readdir-order.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import type { SandboxTool } from './tool.ts';
import { makeScaffold, makeWorkFolder, workFolder, type WorkFolder } from './work-folder.ts';

export interface ShellOptions {
  readonly store: Store;
  readonly tool: SandboxTool;
  /** Aborted: what runs is ended. A terminal that has gone away is none that a program would have to notice. */
  readonly signal: AbortSignal;
  /** What to run instead of `/bin/sh`. */
  readonly argv?: readonly string[];
  /** Called when it was left, however that was, with the folder it began in: what is there is gone afterwards. */
  readonly onLeft?: (folder: string) => Promise<void>;
}

/**
 * Opens a shell where the step would begin, and gives its exit status when it is left. Nothing of it is kept.
 * It has this process's terminal; Ctrl-C is for the shell, and must not end this process meanwhile.
 * @throws MissingBlob when content of a layer or input is not in the store; the signal's reason.
 */
export async function openShell(request: BuildRequest, options: ShellOptions): Promise<number> {
  return withScratch(options.store, async (scratch) => {
    const work = makeWorkFolder(join(scratch, 'step'), request);
    const status = await enter({ request, variation: undefined, work, scratch }, options);
    await options.onLeft?.(work.build);
    return status;
  });
}

/** Opens a shell in the folders a failed step left, and gives its exit status. What is changed there stays. */
export async function openFailedShell(failed: FailedStep, options: ShellOptions): Promise<number> {
  const { request, variation } = failed;
  return withScratch(options.store, (scratch) =>
    enter({ request, variation, work: workFolder(failed.path), scratch }, options),
  );
}

async function withScratch<T>(store: Store, use: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await store.scratch('shell');
  try {
    return await use(scratch);
  } finally {
    removeTree(scratch);
  }
}

interface Entry {
  readonly request: BuildRequest;
  readonly variation: Variation | undefined;
  readonly work: WorkFolder;
  readonly scratch: string;
}

async function enter(
  { request, variation, work, scratch }: Entry,
  { store, tool, signal: ending, argv = ['/bin/sh'] }: ShellOptions,
): Promise<number> {
  const order = variation?.shuffledReaddir === true ? new ReaddirOrder(store) : undefined;
  const conditions = conditionsFor({ slots: availableParallelism() }, variation);
  const guise = makeGuise(join(scratch, 'guise'), conditions.processors);
  const command = sandboxCommand(request, {
    tool,
    mounts: await mountsOf(store, request, { order }),
    scaffold: makeScaffold(scratch),
    guise,
    work,
    conditions,
    interactive: { argv, env: { TERM: process.env['TERM'] ?? 'dumb' } },
  });
  ending.throwIfAborted();
  const child = await startShell(command, { umask: conditions.umask, filter: guise.filter });
  const end = (): void => void child.kill('SIGKILL');
  ending.addEventListener('abort', end);
  const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  ending.removeEventListener('abort', end);
  ending.throwIfAborted();
  return status ?? 128 + constants.signals[signal ?? 'SIGKILL'];
}

async function startShell(
  command: readonly string[],
  { umask, filter }: { readonly umask: number; readonly filter: string },
): Promise<ChildProcess> {
  // Loaded late, as this file is among those that every command loads.
  const { spawnClean } = await import('./spawn-clean.ts');
  const opened = openSync(filter, 'r');
  const umaskBefore = process.umask(umask);
  try {
    return spawnClean(command, {
      stdio: ['inherit', 'inherit', 'inherit', 'ignore', opened],
      isDetached: false,
    });
  } finally {
    process.umask(umaskBefore);
    closeSync(opened);
  }
}
