// What a person, or a program, is told of a deployment.

import type { Context } from '../context.ts';
import { plainText } from '../render/plain-text.ts';
import { tableLines } from '../render/table.ts';
import { formatBytes, formatCount, formatDuration } from '../render/units.ts';
import { writeRecords } from '../records/write-records.ts';
import type { DeviceFacts, Way } from './device-facts.ts';
import { ownFolder, sentFiles, type Plan, type Step } from './plan.ts';

/** How a deployment ends well. */
export type Outcome = 'running' | 'starts-next' | 'waits-for-restart';

const ways: Readonly<Record<Way, string>> = {
  uefi: 'started by UEFI',
  'raspberry-pi': "started by a Raspberry Pi's firmware",
  other: 'started by something else',
};

export class DeploymentTeller {
  readonly #context: Context;
  readonly #host: string;
  readonly #what: string;
  readonly #startedMs = performance.now();
  #sentBytes = 0;

  constructor(context: Context, { host, what }: { readonly host: string; readonly what: string }) {
    this.#context = context;
    this.#host = host;
    this.#what = what;
  }

  plan(facts: DeviceFacts, plan: Plan): void {
    const { release, processor, way } = facts;
    this.#sentBytes = sentFiles(plan).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (this.#context.shared.json === true) {
      writeRecords(this.#context.out, [
        {
          type: 'deploy-plan',
          host: this.#host,
          target: this.#what,
          release,
          way,
          sentBytes: this.#sentBytes,
          steps: plan.steps.map(stepFields),
        },
      ]);
      return;
    }
    this.#say([`${this.#host}: Linux ${release} (${processor}), ${ways[way]}`]);
    if (plan.steps.length === 0) return;
    const rows = plan.steps.flatMap(stepRow);
    this.#say(tableLines(rows.map((row) => [...row])).map((line) => `  ${line}`));
  }

  step(step: Step, durationMs: number): void {
    if (this.#context.shared.json !== true) return;
    const fields = { ...stepFields(step), durationMs: Math.round(durationMs) };
    writeRecords(this.#context.out, [{ type: 'deploy-step', ...fields }]);
  }

  restarting(): void {
    if (this.#context.shared.json !== true) this.#say([`${this.#host} restarts`]);
  }

  done(outcome: Outcome): void {
    const durationMs = Math.round(performance.now() - this.#startedMs);
    if (this.#context.shared.json === true) {
      writeRecords(this.#context.out, [
        {
          type: 'deployed',
          host: this.#host,
          target: this.#what,
          outcome,
          sentBytes: this.#sentBytes,
          durationMs,
        },
      ]);
      return;
    }
    const cost = `sent ${formatBytes(this.#sentBytes)} in ${formatDuration(durationMs)}`;
    this.#context.out.lines([`${this.#what}  ${sentences(this.#host)[outcome]}  ${cost}`]);
  }

  #say(lines: readonly string[]): void {
    this.#context.err.lines(lines.map(plainText));
  }
}

function sentences(host: string): Readonly<Record<Outcome, string>> {
  return {
    running: `runs on ${host}, and starts from now on`,
    'starts-next': `starts on ${host} from its next restart on`,
    'waits-for-restart': `is tried by ${host} with its next restart; the same command afterwards keeps it`,
  };
}

function stepFields(step: Step) {
  const { kind } = step;
  switch (kind) {
    case 'stage':
      return {
        step: kind,
        path: step.file.path,
        sentBytes: step.from === 'sent' ? step.file.sizeBytes : 0,
      };
    case 'modules':
      return {
        step: kind,
        path: `usr/lib/modules/${step.release}`,
        sentBytes: step.sent.reduce((sum, path) => sum + step.files.get(path)!.sizeBytes, 0),
      };
    case 'settle':
      return { step: kind, path: `boot/${step.to}` };
    case 'clear':
    case 'forget':
    case 'restart':
    case 'try':
      return { step: kind };
  }
}

/** What it does, to what, and how much travels for it; nothing of what is only tidying up. */
function stepRow(step: Step): readonly (readonly [string, string, string])[] {
  switch (step.kind) {
    case 'clear':
    case 'forget':
      return [];
    case 'stage':
      return step.from === 'sent'
        ? [['send', step.file.path, formatBytes(step.file.sizeBytes)]]
        : [['copy', `${step.file.path} from /boot/${step.from.path}`, '']];
    case 'modules': {
      const bytes = step.sent.reduce((sum, path) => sum + step.files.get(path)!.sizeBytes, 0);
      return [
        ['send', `${formatCount(step.sent.length, 'module file')} of ${step.release}`, formatBytes(bytes)],
      ];
    }
    case 'try':
      return [['try', `/boot/${step.path} once`, '']];
    case 'restart':
      return [['restart', '', '']];
    case 'settle':
      return [['keep', `/boot/${step.to}, the former one in ${ownFolder}/previous`, '']];
  }
}
