// An image's disk made while a machine runs that was started without it. Nothing is shown meanwhile, for the terminal is the
// machine's; afterwards it is told what came of it.

import type { Event } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import { recordBuilds } from '../project/roots.ts';
import type { Project } from '../project/project.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { showResults } from '../reports/build-report.ts';

/** Where a project's events go: to one renderer, to nobody for a while, and to another renderer. */
export interface EventSwitch {
  readonly emit: (event: Event) => void;
  to(receiver: (event: Event) => void): void;
}

export function eventSwitch(receiver: (event: Event) => void): EventSwitch {
  let current = receiver;
  return { emit: (event) => current(event), to: (next) => (current = next) };
}

/**
 * Starts to build `target`, and gives what waits for it and tells of it; false when it failed. `events` are the project's.
 */
export function composeBehind(
  context: Context,
  {
    project,
    target,
    events,
  }: { readonly project: Project; readonly target: string; readonly events: EventSwitch },
): () => Promise<boolean> {
  const startedMs = performance.now();
  const wanted = [project.find(target)];
  const early: Event[] = [];
  events.to((event) => {
    // What steps write is in their logs.
    if (event.type !== 'step-output' && event.type !== 'step-progress') early.push(event);
  });
  const composed = project.build.realise(wanted.map(({ id }) => id));
  composed.catch(() => undefined);
  return async () => {
    const renderer = openRenderer(context);
    for (const event of early) renderer.emit(event);
    events.to(renderer.emit);
    const report = await composed.finally(() => renderer.close());
    const view = await renderer.close();
    if (report.ok) await recordBuilds(project, wanted);
    showResults(context, { project, wanted, report, view, elapsedMs: performance.now() - startedMs });
    return report.ok;
  };
}
