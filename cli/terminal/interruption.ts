// From the signals a person or a supervisor sends to one AbortSignal. The second one does not wait any more.

import { exitCodes } from '../exit-codes.ts';

export interface Interruption {
  readonly signal: AbortSignal;
  /** Runs something that is to hear of Ctrl-C itself, such as a shell on this terminal; meanwhile we do not. */
  holdDuring<T>(work: () => Promise<T>): Promise<T>;
}

/** Listens until the process ends. `leave` ends it at once. */
export function listenForSignals(leave: (code: number) => void): Interruption {
  const controller = new AbortController();
  let isHeld = false;
  const stop = (): void => {
    // Sandboxes die with this process, so nothing is left running.
    if (controller.signal.aborted) leave(exitCodes.interrupted);
    else controller.abort(new DOMException('interrupted', 'AbortError'));
  };
  process.on('SIGINT', () => {
    if (!isHeld) stop();
  });
  for (const name of ['SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
  const holdDuring = async <T>(work: () => Promise<T>): Promise<T> => {
    isHeld = true;
    try {
      return await work();
    } finally {
      isHeld = false;
    }
  };
  return { signal: controller.signal, holdDuring };
}
