// Drawing on a terminal: what is written, how it is drawn over, and how the terminal is left.

import { describe, expect, it, vi, beforeEach, afterEach } from 'vitest';
import type { Output } from '../../../cli/terminal/output.ts';
import { uncoloured } from '../../../cli/render/style.ts';
import { terminalRenderer } from '../../../cli/render/terminal.ts';
import type { StepRef } from '../../../engine/index.ts';

const sed: StepRef = { id: 'sed' as StepRef['id'], name: 'sed', kind: 'run', target: 'aarch64-linux' };

/** A terminal as small as these tests need: lines, the cursor's row, and what hides it. */
class Screen implements Output {
  readonly isTerminal = true;
  readonly style = uncoloured;
  readonly frames: string[] = [];
  #lines: string[] = [''];
  #row = 0;
  isCursorHidden = false;

  get text(): string[] {
    return this.#lines.slice(0, -1);
  }

  write(text: string | Uint8Array): void {
    this.frames.push(String(text));
    for (const [token] of String(text).matchAll(/\x1b\[\??\d*[a-zA-Z]|\n|\r|[^\x1b\n\r]+/g))
      this.#obey(token);
  }

  lines(lines: Iterable<string>): void {
    for (const line of lines) this.write(`${line}\n`);
  }

  size(): { columns: number; rows: number } {
    return { columns: 60, rows: 20 };
  }

  isBehind(): boolean {
    return false;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  #obey(token: string): void {
    const up = /^\x1b\[(\d+)A$/.exec(token);
    if (up !== null) this.#row -= Number(up[1]);
    else if (token === '\x1b[J') this.#lines = [...this.#lines.slice(0, this.#row), ''];
    else if (token === '\x1b[?25l' || token === '\x1b[?25h') this.isCursorHidden = token.endsWith('l');
    else if (token === '\n') this.#lines[++this.#row] ??= '';
    else if (!token.startsWith('\x1b') && token !== '\r') this.#lines[this.#row] = token;
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the view on a terminal', () => {
  it('is drawn over in place, below the lines that stay', () => {
    const screen = new Screen();
    const renderer = terminalRenderer(screen);
    renderer.emit({
      type: 'planned',
      steps: [
        {
          step: sed,
          decision: 'build',
          reason: { kind: 'never-built' },
          expectedMs: undefined,
          downloadBytes: undefined,
          failure: undefined,
        },
      ],
    });
    renderer.emit({ type: 'step-started', step: sed, expectedMs: undefined });
    vi.advanceTimersByTime(100);
    expect(screen.text).toEqual(['──────────────────────────────  0/1  0 s', '  sed@aarch64-linux  0 s']);
    renderer.emit({ type: 'notice', message: 'something happened', step: undefined });
    vi.advanceTimersByTime(2500);
    expect(screen.text).toEqual([
      'note something happened',
      '──────────────────────────────  0/1  2 s',
      '  sed@aarch64-linux  2 s',
    ]);
  });

  it('is gone at the end, with the cursor back', () => {
    const screen = new Screen();
    const renderer = terminalRenderer(screen);
    renderer.emit({ type: 'step-started', step: sed, expectedMs: undefined });
    vi.advanceTimersByTime(100);
    expect(screen.isCursorHidden).toBe(true);
    renderer.emit({
      type: 'step-finished',
      step: sed,
      outcome: { kind: 'built', outputs: {}, durationMs: 4, log: undefined },
    });
    void renderer.close();
    expect(screen.text).toEqual(['built sed@aarch64-linux (4 ms)']);
    expect(screen.isCursorHidden).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('writes at most ten frames a second, each in one piece', () => {
    const screen = new Screen();
    const renderer = terminalRenderer(screen);
    renderer.emit({ type: 'step-started', step: sed, expectedMs: undefined });
    const before = screen.frames.length;
    for (let at = 0; at < 1000; at++) {
      renderer.emit({ type: 'step-output', step: sed, text: `line ${at}\n` });
      vi.advanceTimersByTime(1);
    }
    const frames = screen.frames.slice(before);
    expect(frames.length).toBeLessThanOrEqual(10);
    expect(frames.length).toBeGreaterThan(5);
    for (const frame of frames) expect(frame).toMatch(/^\x1b\[\?2026h[\s\S]*\x1b\[\?2026l$/);
    void renderer.close();
  });

  it('writes nothing at all when nothing happens', () => {
    const screen = new Screen();
    const renderer = terminalRenderer(screen);
    renderer.emit({ type: 'planned', steps: [] });
    vi.advanceTimersByTime(1000);
    void renderer.close();
    expect(screen.frames).toEqual([]);
  });

  it('shows that it was told to stop', () => {
    const screen = new Screen();
    const renderer = terminalRenderer(screen);
    renderer.emit({ type: 'step-started', step: sed, expectedMs: undefined });
    renderer.stopping();
    vi.advanceTimersByTime(100);
    expect(screen.text[0]).toContain('stopping');
    void renderer.close();
  });
});
