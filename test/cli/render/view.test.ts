// The live view: events in, lines out. No terminal, no clock.

import { describe, expect, it } from 'vitest';
import { drawView, truncate } from '../../../cli/render/draw.ts';
import { uncoloured } from '../../../cli/render/style.ts';
import { emptyView, finishedCount, reduce, remainingMs, type View } from '../../../cli/render/view-model.ts';
import type { Event, PlannedStep, StepRef } from '../../../engine/index.ts';

function step(name: string, kind: StepRef['kind'] = 'run'): StepRef {
  return {
    id: `${name}-id` as StepRef['id'],
    name,
    kind,
    target: kind === 'run' ? 'aarch64-linux' : undefined,
  };
}

function planned(ref: StepRef, expectedMs?: number): PlannedStep {
  const { downloadBytes, failure }: Partial<PlannedStep> = {};
  return {
    step: ref,
    decision: 'build',
    reason: { kind: 'never-built' },
    expectedMs,
    downloadBytes,
    failure,
  };
}

function plan(...steps: readonly PlannedStep[]): Event {
  return { type: 'planned', steps };
}

function started(ref: StepRef, expectedMs?: number): Event {
  return { type: 'step-started', step: ref, expectedMs };
}

function output(ref: StepRef, text: string): Event {
  return { type: 'step-output', step: ref, text };
}

function built(ref: StepRef): Event {
  return {
    type: 'step-finished',
    step: ref,
    outcome: { kind: 'built', outputs: {}, durationMs: 5, log: undefined },
  };
}

function failed(ref: StepRef): Event {
  const failure = {
    reason: { kind: 'exit', status: 2 },
    message: `${ref.name} exited with status 2`,
    hint: undefined,
    code: 'BUILD_EXIT',
    logTail: [],
    logFile: undefined,
    keptFolder: undefined,
  } as const;
  return { type: 'step-finished', step: ref, outcome: { kind: 'failed', failure, durationMs: 5 } };
}

/** The view after events that came one second after the other, beginning at 0. */
function after(...events: readonly Event[]): View {
  return events.reduce((view, event, at) => reduce(view, event, at * 1000), emptyView(0));
}

const sed = step('sed');
const bash = step('bash');

function draw(view: View, nowMs: number, columns = 80, rows = 24): string[] {
  return drawView(view, { columns, rows, style: uncoloured, nowMs });
}

describe('the live view', () => {
  it('is empty while nothing is to be done', () => {
    expect(draw(emptyView(0), 5000)).toEqual([]);
  });

  it('shows what runs, for how long, how long it takes, and the last line of its log', () => {
    const view = after(
      plan(planned(sed, 60_000), planned(bash), planned(step('lsb', 'compose'))),
      started(sed, 60_000),
      started(bash),
      output(sed, 'checking for gcc... '),
      output(sed, 'yes\nchecking for '),
      output(bash, '\u001b[31mmake: \u001b[0mentering\n'),
    );
    expect(draw(view, 21_000)).toEqual([
      '──────────────────────────────  0/3  21 s',
      '  sed@aarch64-linux   20 s of 1 m 00 s  checking for',
      '  bash@aarch64-linux  19 s              make: entering',
    ]);
  });

  it('counts what is done and shows what is left by the times of before', () => {
    const others = ['a', 'b', 'c'].map((name) => step(name));
    const view = after(
      plan(...others.map((ref) => planned(ref, 10_000)), planned(sed, 40_000), planned(bash, 30_000)),
      ...others.flatMap((ref) => [started(ref, 10_000), built(ref)]),
      started(sed, 40_000),
      started(bash, 30_000),
    );
    expect(finishedCount(view)).toBe(3);
    expect(remainingMs(view, 18_000)).toBe(29_000);
    expect(draw(view, 18_000)[0]).toBe('━━━━━━━━━━━━━━━━━━────────────  3/5  18 s  about 29 s left');
  });

  it('says nothing of what is left while most of it never ran before', () => {
    expect(remainingMs(after(plan(planned(sed), planned(bash, 1000))), 0)).toBeUndefined();
  });

  it('shows how far downloads are, below commands', () => {
    const archive = step('sed.tar.xz', 'fetch');
    const view = after(
      plan(planned(archive), planned(sed)),
      started(archive),
      { type: 'step-progress', step: archive, doneBytes: 1_500_000, totalBytes: 2_100_000 },
      started(sed),
    );
    expect(draw(view, 4000)).toEqual([
      '──────────────────────────────  0/2  4 s  1.5 MB received',
      '  sed@aarch64-linux  1 s',
      '  fetch sed.tar.xz   3 s  1.5 of 2.1 MB',
    ]);
  });

  it('says who is waited for', () => {
    const view = after(plan(planned(sed)), started(sed), {
      type: 'step-waiting',
      step: sed,
      holder: 'process 42',
    });
    expect(draw(view, 2000)[1]).toBe('  sed@aarch64-linux  1 s  waiting: process 42 is at it');
  });

  it('counts failures', () => {
    const view = after(plan(planned(sed), planned(bash)), started(sed), failed(sed));
    expect(draw(view, 3000)).toEqual(['━━━━━━━━━━━━━━━───────────────  1/2  3 s  1 failed']);
    expect(view.failed.map((one) => one.step.name)).toEqual(['sed']);
  });

  it('fits into any width and into half the height', () => {
    const many = Array.from({ length: 30 }, (_, at) => step(`a-step-with-a-long-name-${at}`));
    const view = after(
      plan(...many.map((ref) => planned(ref))),
      ...many.map((ref) => started(ref)),
      ...many.map((ref) => output(ref, `${'日本語 text '.repeat(30)}\n`)),
    );
    for (const columns of [1, 10, 20, 40, 79, 80, 200]) {
      for (const rows of [1, 5, 24]) {
        const lines = draw(view, 90_000, columns, rows);
        expect(lines.length).toBeLessThanOrEqual(Math.max(3, rows / 2));
        for (const line of lines) expect(cells(line)).toBeLessThan(Math.max(2, columns));
      }
    }
    expect(draw(view, 90_000, 80, 10).at(-1)).toBe('  and 27 more');
  });

  it('takes up what no plan announced', () => {
    const view = after(started(sed), built(sed), started(bash));
    expect([view.total, finishedCount(view)]).toEqual([2, 1]);
  });

  it('keeps the last state of a line that is drawn over, and forgets lines that never end', () => {
    const view = after(started(sed), output(sed, '10%\r20%\r30%'), output(bash, 'unknown step'));
    expect(draw(view, 1000)[1]).toContain('30%');
    const long = after(started(sed), output(sed, 'x'.repeat(100_000)));
    expect(long.running.get(sed.id)!.openLine.length).toBeLessThanOrEqual(1000);
  });
});

describe('truncate', () => {
  it('counts cells, not characters, and never splits one', () => {
    expect(truncate('日本語', 6)).toBe('日本語');
    expect(truncate('日本語', 5)).toBe('日本…');
    expect(truncate('日本語', 4)).toBe('日…');
    expect(truncate('e\u0301e\u0301e\u0301', 2)).toBe('e\u0301…');
    expect(truncate('abc', 0)).toBe('');
  });
});

function cells(line: string): number {
  return Array.from(line).reduce((sum, char) => sum + (/[\u3000-\u9fff]/.test(char) ? 2 : 1), 0);
}
