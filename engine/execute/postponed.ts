// A signal that comes later than another: for work that is better ended by itself, if it does not take long.

/** Aborted a time after `signal`, with its reason, unless it is settled before. */
export function postponed(
  signal: AbortSignal,
  delayMs: number,
): { readonly signal: AbortSignal; readonly settle: () => void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => controller.abort(signal.reason), delayMs);
  };
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return {
    signal: controller.signal,
    settle: () => {
      signal.removeEventListener('abort', begin);
      clearTimeout(timer);
    },
  };
}
