// The one way by which records leave: a line each, with the version of the schema in front.

import { writeAsTheyLeave, type Output } from '../terminal/output.ts';
import type { JsonRecord, recordsVersion } from './definitions.ts';

// A type, so that the definitions are not loaded with every command.
const version: typeof recordsVersion = 1;

export function writeRecords(out: Output, records: Iterable<JsonRecord>): void {
  out.lines(linesOf(records));
}

/** The same for more records than need be in memory together, no faster than they leave. */
export function writeManyRecords(out: Output, records: Iterable<JsonRecord>): Promise<void> {
  return writeAsTheyLeave(out, linesOf(records));
}

function* linesOf(records: Iterable<JsonRecord>): Generator<string> {
  for (const record of records) yield JSON.stringify({ v: version, ...record });
}
