// Tells of events where no renderer is open: a line each, or a record each for machines. For the few that come.

import type { Emit } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { eventRecords } from './json.ts';
import { eventLines } from './lines.ts';
import { emptyView } from './view-model.ts';
import { writeRecords } from '../records/write-records.ts';

export function lineEmit({ out, err, shared }: Pick<Context, 'out' | 'err' | 'shared'>): Emit {
  return (event) => {
    if (shared.json === true) writeRecords(out, eventRecords(event));
    else err.lines(eventLines(event, emptyView(0), { style: err.style, complete: true }));
  };
}
