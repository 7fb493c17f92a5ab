// Which renderer suits the output, loaded when there is something to tell: most runs find everything up to date.

import type { Event } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import type { Renderer } from './renderer.ts';
import type { View } from './view-model.ts';

/** A renderer, for whoever does not wait until it is ready. */
export interface OpenRenderer {
  readonly emit: (event: Event) => void;
  /** Undefined when nothing happened that was worth telling. */
  close(): Promise<View | undefined>;
}

/** A live view on a terminal, plain lines elsewhere, one object a line when a machine listens. */
export function openRenderer(context: Context): OpenRenderer {
  const early: Event[] = [];
  let loading: Promise<Renderer> | undefined;
  let renderer: Renderer | undefined;
  let isClosed = false;
  const stop = (): void => renderer?.stopping();
  const load = async (): Promise<Renderer> => {
    renderer = await loadRenderer(context);
    for (const event of early) renderer.emit(event);
    context.signal.addEventListener('abort', stop);
    return renderer;
  };
  return {
    emit(event) {
      if (isClosed) {
        void import('./line-emit.ts').then(({ lineEmit }) => lineEmit(context)(event));
        return;
      }
      if (renderer === undefined) early.push(event);
      else renderer.emit(event);
      if (context.shared.json === true || !isIdle(event)) loading ??= load();
    },
    async close() {
      isClosed = true;
      const loaded = await loading;
      context.signal.removeEventListener('abort', stop);
      return loaded?.close();
    },
  };
}

function isIdle(event: Event): boolean {
  return event.type === 'planned' && event.steps.every(({ decision }) => decision === 'up-to-date');
}

async function loadRenderer({ out, err, shared }: Context): Promise<Renderer> {
  if (shared.json === true) return (await import('./json.ts')).jsonRenderer(out);
  if (err.isTerminal) return (await import('./terminal.ts')).terminalRenderer(err);
  return (await import('./plain.ts')).plainRenderer(err);
}
