// The live view on a terminal: lines that stay above, a scratch area below that is drawn over in place. One write a
// frame, ten frames a second at most. Knows nothing of what the lines say.

import type { Event } from '../../engine/index.ts';
import type { Output } from '../terminal/output.ts';
import { drawView } from './draw.ts';
import { eventLines } from './lines.ts';
import type { Renderer } from './renderer.ts';
import { emptyView, reduce, type View } from './view-model.ts';

// ECMA-48 control sequences, and xterm's private modes for the cursor (25) and for synchronized output (2026), which
// terminals that do not know it ignore.
const hideCursor = '\x1b[?25l';
const showCursor = '\x1b[?25h';
const beginFrame = '\x1b[?2026h';
const endFrame = '\x1b[?2026l';
const clearLineEnd = '\x1b[K';
const clearBelow = '\x1b[J';
const cursorUp = (lines: number): string => (lines === 0 ? '' : `\x1b[${lines}A`);

const frameMs = 100;
/** Clocks tick even when nothing happens. */
const idleFrameMs = 500;

export function terminalRenderer(output: Output): Renderer {
  return new LiveView(output);
}

class LiveView implements Renderer {
  readonly #output: Output;
  #view: View = emptyView(performance.now());
  /** Lines that stay and were not written yet. */
  #pending: string[] = [];
  /** Height of the scratch area as it stands on the screen. */
  #drawnLines = 0;
  #drawnAtMs = 0;
  #isDirty = false;
  #isStopping = false;
  /** Runs from the first event that shows something until the end. */
  #timer: NodeJS.Timeout | undefined;
  readonly #restoreCursor = (): void => this.#output.write(showCursor);

  constructor(output: Output) {
    this.#output = output;
  }

  emit(event: Event): void {
    this.#pending.push(...eventLines(event, this.#view, { style: this.#output.style, complete: false }));
    this.#view = reduce(this.#view, event, performance.now());
    this.#isDirty = true;
    if (this.#view.total > 0 || this.#pending.length > 0) this.#begin();
  }

  stopping(): void {
    this.#isStopping = true;
    this.#isDirty = true;
  }

  close(): View {
    if (this.#timer === undefined) return this.#view;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#write([]);
    this.#restoreCursor();
    process.removeListener('exit', this.#restoreCursor);
    return this.#view;
  }

  #begin(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#tick(), frameMs);
    this.#output.write(hideCursor);
    process.on('exit', this.#restoreCursor);
  }

  #tick(): void {
    const nowMs = performance.now();
    if (!this.#isDirty && nowMs - this.#drawnAtMs < idleFrameMs) return;
    const { columns, rows } = this.#output.size();
    const { style } = this.#output;
    this.#write(drawView(this.#view, { columns, rows, style, nowMs, stopping: this.#isStopping }));
    this.#drawnAtMs = nowMs;
    this.#isDirty = false;
  }

  #write(scratch: readonly string[]): void {
    const lines = [...this.#pending, ...scratch].map((line) => `${line}${clearLineEnd}\n`).join('');
    this.#output.write(`${beginFrame}${cursorUp(this.#drawnLines)}\r${lines}${clearBelow}${endFrame}`);
    this.#pending = [];
    this.#drawnLines = scratch.length;
  }
}
