// One sandbox's life: from its command to the moment when every process in it is gone. Knows neither store nor step.

import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Limits } from '../model/derivation.ts';
import type { Launched, Launcher } from './launcher.ts';
import { watchLimits, type Excess } from './limits.ts';
import type { Rig } from './rigs.ts';

export interface RunOptions {
  readonly launcher: Launcher;
  /** Nobody else may use it meanwhile. */
  readonly rig: Rig;
  readonly filter: string;
  readonly umask: number;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** Gets what is written, in order; gives how much the log has in all. If it throws, the sandbox is ended. */
  readonly onOutput: (chunk: Uint8Array) => number;
}

/** How a sandbox ended. Whichever it was, none of its processes is left. */
export type SandboxEnd =
  /** With the command's status, 128 + n for signal n, and what its processes used. */
  | {
      readonly kind: 'exited';
      readonly status: number;
      readonly cpuMs: number | undefined;
      readonly peakMemoryBytes: number | undefined;
    }
  /** Bubblewrap could not set it up, or not start the command; its output says why. */
  | { readonly kind: 'not-started' }
  | { readonly kind: 'exceeded'; readonly excess: Excess }
  | { readonly kind: 'cancelled' };

/** Runs a command made by `sandboxCommand`. @throws what `onOutput` throws, and the errors of {@link Launcher.launch}. */
export async function runSandbox(command: readonly string[], options: RunOptions): Promise<SandboxEnd> {
  const { launcher, rig, filter, umask } = options;
  // Opened before there is a writer; it must not be read before there is one, since it would end at once.
  const reader = openSync(rig.log, constants.O_RDONLY | constants.O_NONBLOCK);
  let launched: Launched;
  try {
    launched = await launcher.launch({ command, log: rig.log, filter, umask });
  } catch (error) {
    closeSync(reader);
    throw error;
  }
  const output = new Socket({ fd: reader, readable: true, writable: false });
  return watch(launched, output, options);
}

/** Waits for the end, and brings it about when there is a reason, which is then the result. */
async function watch(launched: Launched, output: Socket, options: RunOptions): Promise<SandboxEnd> {
  const ended = new AbortController();
  let stopped: SandboxEnd | undefined;
  let failure: { readonly error: unknown } | undefined;
  const stop = (why: SandboxEnd): void => {
    stopped ??= why;
    launched.kill();
  };
  const limits = watchLimits(options.limits, {
    pid: launched.pid,
    ended: ended.signal,
    onExcess: (excess) => stop({ kind: 'exceeded', excess }),
  });
  output.on('data', (chunk: Buffer) => {
    if (stopped !== undefined) return;
    try {
      limits.logHasGrown(options.onOutput(chunk));
    } catch (error) {
      failure = { error };
      stop({ kind: 'cancelled' });
    }
  });
  if (options.signal.aborted) stop({ kind: 'cancelled' });
  options.signal.addEventListener('abort', () => stop({ kind: 'cancelled' }), { signal: ended.signal });
  try {
    const [{ status, cpuMs }] = await Promise.all([launched.ended, once(output, 'close')]);
    if (failure !== undefined) throw failure.error;
    if (stopped !== undefined) return stopped;
    if (status === undefined) return { kind: 'not-started' };
    return { kind: 'exited', status, cpuMs, peakMemoryBytes: limits.peakMemoryBytes() };
  } finally {
    ended.abort();
    output.destroy();
  }
}
