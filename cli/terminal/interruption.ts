// From the signals a person or a supervisor sends to one AbortSignal. The second one does not wait any more.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { exitCodes, type ExitCode } from '../exit-codes.ts';

export interface Interruption {
  readonly signal: AbortSignal;
  /** The exit status that the signal which came asks for; undefined when none has come. */
  exitCode(): ExitCode | undefined;
  /** Runs something that is to hear of Ctrl-C itself, such as a shell on this terminal; meanwhile we do not. */
  holdDuring<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Runs a computation that may go on for ever and hears of nothing while it does: the signals end the process at once, as
   * they end any other program. Nothing may be under way that would have to be put in order first.
   * @throws AbortError when Ctrl-C came while code of a config was running.
   */
  readonly computing: <T>(work: () => T) => Promise<T>;
  /** Ends what runs for a reason of our own; no signal came. */
  giveUp(reason: Error): void;
}

const statuses = {
  SIGHUP: exitCodes.hungUp,
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
} as const;

type Name = keyof typeof statuses;

/** Listens until the process ends. `leave` ends it at once. */
export function listenForSignals(leave: (code: number) => void): Interruption {
  const controller = new AbortController();
  let came: Name | undefined;
  let isHeld = false;
  const stop = (name: Name): void => {
    // Sandboxes die with this process, so nothing is left running.
    if (came !== undefined) leave(statuses[name]);
    came ??= name;
    controller.abort(new DOMException('interrupted', 'AbortError'));
  };
  const hear = (name: Name): void => {
    if (name !== 'SIGINT' || !isHeld) stop(name);
  };
  const listeners = (Object.keys(statuses) as Name[]).map((name) => [name, () => hear(name)] as const);
  const listen = (): void => listeners.forEach(([name, listener]) => void process.on(name, listener));
  const unlisten = (): void => listeners.forEach(([name, listener]) => void process.off(name, listener));
  listen();
  return {
    signal: controller.signal,
    exitCode: () => came && statuses[came],
    giveUp: (reason) => controller.abort(reason),
    holdDuring: async (work) => {
      isHeld = true;
      try {
        return await work();
      } finally {
        // A Ctrl-C that has ended it may be heard of after its end.
        await nextTurn();
        isHeld = false;
      }
    },
    computing: async (work) => {
      // One that came while modules were loaded has not been heard of yet, and would be lost.
      await nextTurn();
      controller.signal.throwIfAborted();
      unlisten();
      try {
        return work();
      } catch (error) {
        // The realm of a config is ended by Ctrl-C without our hearing of it.
        if (error instanceof Error && error.name === 'AbortError' && came === undefined) stop('SIGINT');
        throw error;
      } finally {
        listen();
      }
    },
  };
}
