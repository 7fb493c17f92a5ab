// Where a command was done, in words. Pure.

import type { DoneElsewhere } from '../../store/index.ts';
import { plainLine } from './plain-text.ts';
import { formatDuration } from './units.ts';

/** `on w3 at grpcs://build.example: queued 12 ms, inputs 1.2 s, command 8.4 s, outputs 30 ms` */
export function placeWords({ executor, worker, ...times }: DoneElsewhere): string {
  const named: readonly (readonly [what: string, ms: number | undefined])[] = [
    ['queued', times.queuedMs],
    ['inputs', times.fetchedMs],
    ['command', times.executedMs],
    ['outputs', times.uploadedMs],
  ];
  const told = named.flatMap(([what, ms]) => (ms === undefined ? [] : [`${what} ${formatDuration(ms)}`]));
  const place = worker === undefined ? `at ${executor}` : `on ${worker} at ${executor}`;
  return plainLine(`${place}${told.length === 0 ? '' : `: ${told.join(', ')}`}`);
}
