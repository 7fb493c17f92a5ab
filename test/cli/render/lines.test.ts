// The lines that stay, failures, and records for machines.

import { describe, expect, it } from 'vitest';
import { failureLines } from '../../../cli/render/failures.ts';
import { eventRecords } from '../../../cli/render/json.ts';
import { eventLines } from '../../../cli/render/lines.ts';
import { coloured, uncoloured } from '../../../cli/render/style.ts';
import { emptyView, reduce } from '../../../cli/render/view-model.ts';
import type { Digest } from '../../../store/base/digest.ts';
import type { Event, Failed, StepRef } from '../../../engine/index.ts';

const sed: StepRef = { id: 'sed-id' as StepRef['id'], name: 'sed', kind: 'run', target: 'aarch64-linux' };
const archive: StepRef = {
  id: 'tar-id' as StepRef['id'],
  name: 'sed.tar.xz',
  kind: 'fetch',
  target: undefined,
};
const root: StepRef = { id: 'root-id' as StepRef['id'], name: 'root', kind: 'compose', target: undefined };

const failure: Failed = {
  kind: 'failed',
  durationMs: 12_345,
  failure: {
    reason: { kind: 'exit', status: 2 },
    message: 'sed exited with status 2',
    hint: 'Look around in it with `cairn shell --failed sed@aarch64-linux`.',
    code: 'BUILD_EXIT',
    logTail: ['cc -c sed.c', 'sed.c:1:\u001b[1m error\u001b[0m: no'],
    logFile: '/store/logs/sed-1-0.log',
    keptFolder: '/store/failed/sed-1',
  },
};

function lines(event: Event, complete: boolean, view = emptyView(0)): string[] {
  return eventLines(event, view, { style: uncoloured, complete });
}

describe('lines that stay', () => {
  it('tell of the start and the end of commands in a log', () => {
    expect(lines({ type: 'step-started', step: sed, expectedMs: 61_000 }, true)).toEqual([
      'start sed@aarch64-linux (took 1 m 01 s last time)',
    ]);
    const outcome = { kind: 'built', outputs: {}, durationMs: 59_000, log: undefined } as const;
    expect(lines({ type: 'step-finished', step: sed, outcome }, true)).toEqual([
      'built sed@aarch64-linux (59.0 s)',
    ]);
  });

  it('leave starts to the live view on a terminal', () => {
    expect(lines({ type: 'step-started', step: sed, expectedMs: undefined }, false)).toEqual([]);
  });

  it('tell of downloads with their size in a log, and never of what takes no time', () => {
    const outcome = { kind: 'built', outputs: {}, durationMs: 900, log: undefined } as const;
    const started = reduce(emptyView(0), { type: 'step-started', step: archive, expectedMs: undefined }, 0);
    const view = reduce(
      started,
      { type: 'step-progress', step: archive, doneBytes: 1_400_000, totalBytes: undefined },
      0,
    );
    expect(lines({ type: 'step-finished', step: archive, outcome }, true, view)).toEqual([
      'done fetch sed.tar.xz (1.4 MB, 900 ms)',
    ]);
    expect(lines({ type: 'step-finished', step: archive, outcome }, false, view)).toEqual([]);
    expect(lines({ type: 'step-finished', step: root, outcome }, true)).toEqual([]);
  });

  it('tell of every failure and notice', () => {
    expect(lines({ type: 'step-finished', step: sed, outcome: failure }, false)).toEqual([
      'failed sed@aarch64-linux (12.3 s): sed exited with status 2',
    ]);
    expect(
      lines({ type: 'notice', message: 'mirror \u001b]0;title\u0007slow', step: undefined }, false),
    ).toEqual(['note mirror slow']);
  });

  it('use colours only when asked to', () => {
    const event: Event = { type: 'step-finished', step: sed, outcome: failure };
    expect(eventLines(event, emptyView(0), { style: coloured, complete: true })[0]).toMatch(
      /^\u001b\[31mfailed\u001b\[39m /,
    );
  });
});

describe('failures', () => {
  it('show the end of the log, where all of it is, and what to do next', () => {
    expect(
      failureLines(
        { failed: [{ step: sed, place: '/flake-like.config.ts:3:1', outcome: failure }], skipped: [] },
        uncoloured,
      ),
    ).toEqual([
      '',
      'failed sed@aarch64-linux after 12.3 s: sed exited with status 2 [BUILD_EXIT]',
      '  │ cc -c sed.c',
      '  │ sed.c:1: error: no',
      '  described at: /flake-like.config.ts:3:1',
      '  all of the log: /store/logs/sed-1-0.log',
      '  its folder: /store/failed/sed-1',
      '  next: Look around in it with `cairn shell --failed sed@aarch64-linux`.',
    ]);
  });

  it('show of a line without end only where it begins and where it ends', () => {
    const long = { ...failure, failure: { ...failure.failure, logTail: [`begin${'x'.repeat(60_000)}end`] } };
    const [, , line] = failureLines(
      { failed: [{ step: sed, place: undefined, outcome: long }], skipped: [] },
      uncoloured,
    );
    expect(line).toMatch(/^ {2}│ beginx+ …\(58008 characters more\)… x+end$/);
  });

  it('are listed again at the end when there are several, with what was not built because of them', () => {
    const failed = [sed, archive].map((step) => ({ step, place: undefined, outcome: failure }));
    const shown = failureLines({ failed, skipped: [{ ...sed, name: 'lsb' }, root] }, uncoloured);
    expect(shown.slice(-4)).toEqual([
      '',
      '2 steps failed: sed@aarch64-linux, fetch sed.tar.xz',
      '',
      'not built because of that: lsb@aarch64-linux',
    ]);
  });
});

describe('records', () => {
  it('name steps and outcomes with fields that stay', () => {
    const log = `${'a'.repeat(64)}/12` as Digest;
    const outputs = { out: { kind: 'tree', digest: `${'b'.repeat(64)}/34` as Digest } } as const;
    const outcome = { kind: 'built', outputs, durationMs: 12.7, log } as const;
    expect(eventRecords({ type: 'step-finished', step: sed, outcome })).toEqual([
      {
        type: 'step-finished',
        id: 'sed-id',
        name: 'sed',
        kind: 'run',
        target: 'aarch64-linux',
        outcome: 'built',
        outputs: { out: outputs.out.digest },
        durationMs: 13,
        log,
      },
    ]);
  });

  it('carry all there is to know of a failure', () => {
    const [record] = eventRecords({ type: 'step-finished', step: sed, outcome: failure });
    expect(record).toMatchObject({
      outcome: 'failed',
      code: 'BUILD_EXIT',
      reason: { kind: 'exit', status: 2 },
      logFile: '/store/logs/sed-1-0.log',
    });
  });

  it('are one for a plan and one for each step that is to be done', () => {
    const event: Event = {
      type: 'planned',
      steps: [
        {
          step: root,
          decision: 'up-to-date',
          reason: { kind: 'realised' },
          expectedMs: undefined,
          downloadBytes: undefined,
          failure: undefined,
        },
        {
          step: sed,
          decision: 'build',
          reason: { kind: 'changed', fields: ['env.CFLAGS'] },
          expectedMs: 100,
          downloadBytes: undefined,
          failure: undefined,
        },
      ],
    };
    expect(
      eventRecords(event).map((record) => [record.type, 'name' in record ? record.name : undefined]),
    ).toEqual([
      ['planned', undefined],
      ['planned-step', 'sed'],
    ]);
  });

  it('are one line each, whatever is in them', () => {
    const [record] = eventRecords({ type: 'step-output', step: sed, text: 'a\nb\u2028c' });
    expect(JSON.stringify(record)).not.toContain('\n');
  });
});
