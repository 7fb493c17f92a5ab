// One line for what starts and what ends: for pipes, files and continuous integration.

import type { Output } from '../terminal/output.ts';
import { eventLines } from './lines.ts';
import type { Renderer } from './renderer.ts';
import { emptyView, reduce } from './view-model.ts';

export function plainRenderer(output: Output): Renderer {
  let view = emptyView(performance.now());
  return {
    emit(event) {
      output.lines(eventLines(event, view, { style: output.style, complete: true }));
      view = reduce(view, event, performance.now());
    },
    stopping: () => output.lines(['stopping …']),
    close: () => view,
  };
}
