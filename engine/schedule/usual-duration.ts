// How long a step that was never timed may take. A guess: all it has to do is to have long things started first.

import type { Derivation, Run } from '../model/derivation.ts';

/** Wall time in milliseconds. */
export function usualMs(derivation: Derivation): number {
  switch (derivation.kind) {
    case 'run':
      return 10_000 + sourceBytes(derivation) / 100;
    case 'fetch':
      return 2_000;
    case 'unpack':
      return 1_000;
    case 'compose':
    case 'write':
    case 'local':
      return 1;
  }
}

// The larger a source archive, the longer its build: 10 seconds for each megabyte is about right for C programs.
function sourceBytes({ inputs }: Run): number {
  const archives = Object.values(inputs).flatMap(({ derivation }) =>
    derivation.kind === 'unpack' ? [derivation.archive.derivation] : [],
  );
  return archives.reduce((sum, one) => sum + (one.kind === 'fetch' ? (one.sizeBytes ?? 0) : 0), 0);
}
