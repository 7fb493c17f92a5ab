// One line on a terminal that says how far something is; nothing elsewhere.

import type { Output } from '../terminal/output.ts';
import { formatProgress } from './units.ts';

const frameMs = 100;

export interface Meter {
  readonly update: (doneBytes: number, totalBytes: number) => void;
  /** Takes the line away. */
  readonly close: () => void;
}

export function meter(
  output: Output,
  { label, isQuiet }: { readonly label: string; readonly isQuiet: boolean },
): Meter {
  let drawnAtMs = -Infinity;
  const isShown = output.isTerminal && !isQuiet;
  return {
    update(doneBytes, totalBytes) {
      const nowMs = performance.now();
      if (!isShown || nowMs - drawnAtMs < frameMs) return;
      drawnAtMs = nowMs;
      const share = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
      output.write(`\r${label}  ${share} %  ${formatProgress(doneBytes, totalBytes)}\x1b[K`);
    },
    close() {
      if (drawnAtMs > -Infinity) output.write('\r\x1b[K');
    },
  };
}
