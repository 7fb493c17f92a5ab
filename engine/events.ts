// Everything that happens, as one closed union. The engine emits; the terminal, --json and logs are renderers.

import type { Digest } from '../store/base/digest.ts';
import type { Node } from '../store/index.ts';
import type { CompileCacheCounts } from './compile-cache/counts.ts';
import type { RemoteRun } from './execute/remote-run.ts';
import type { DerivationId } from './model/encode.ts';
import type { Derivation, Target } from './model/derivation.ts';

export type Event =
  Planned | StepStarted | StepWaiting | StepOutput | StepProgress | StepFinished | LocalSourceUsed | Notice;
export type Emit = (event: Event) => void;

/** Which step an event is about. */
export interface StepRef {
  readonly id: DerivationId;
  readonly name: string;
  readonly kind: Derivation['kind'];
  readonly target: Target | undefined;
}

/** What is going to happen, before any of it does. */
export interface Planned {
  readonly type: 'planned';
  readonly steps: readonly PlannedStep[];
}

export interface PlannedStep {
  readonly step: StepRef;
  readonly decision: 'up-to-date' | 'substitute' | 'build';
  readonly reason: Reason;
  /** Wall time it took the last time, when that is known. */
  readonly expectedMs: number | undefined;
  /** How large a download is, where its pin says so. */
  readonly downloadBytes: number | undefined;
  /** What it is going to fail with, where that is known before anything is done. */
  readonly failure: ForeseenFailure | undefined;
}

export interface ForeseenFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

/** Why a step is in the plan as it is. */
export type Reason =
  | { readonly kind: 'realised' }
  | { readonly kind: 'never-built' }
  | { readonly kind: 'changed'; readonly fields: readonly string[] }
  | { readonly kind: 'input-changed'; readonly inputs: readonly string[] }
  | { readonly kind: 'output-missing' }
  | { readonly kind: 'requested' };

export interface StepStarted {
  readonly type: 'step-started';
  readonly step: StepRef;
  readonly expectedMs: number | undefined;
  /** Where the config made it, `file:line:column`, where that is known. */
  readonly place?: string | undefined;
}

/** Another process is building the same thing. */
export interface StepWaiting {
  readonly type: 'step-waiting';
  readonly step: StepRef;
  readonly holder: string;
}

/** A piece of a step's log, as it was written (not necessarily whole lines). */
export interface StepOutput {
  readonly type: 'step-output';
  readonly step: StepRef;
  readonly text: string;
}

/** How far a download is. */
export interface StepProgress {
  readonly type: 'step-progress';
  readonly step: StepRef;
  readonly doneBytes: number;
  readonly totalBytes: number | undefined;
}

export interface StepFinished {
  readonly type: 'step-finished';
  readonly step: StepRef;
  readonly outcome: Outcome;
  /** Where the config made a step that failed. */
  readonly place?: string | undefined;
}

/** What a command is about is made from a folder of this machine, in place of an input. */
export interface LocalSourceUsed {
  readonly type: 'local-source';
  readonly input: string;
  /** Absolute. */
  readonly folder: string;
  /** What it was found to hold. */
  readonly tree: Digest;
  /** Where it is one of git's: its commit, and whether it holds something else by now; undefined when that is not known. */
  readonly workTree: { readonly commit: string; readonly isChanged: boolean | undefined } | undefined;
}

/** Something worth a line that is not about a step's life: a fallback taken, a damaged blob set aside. */
export interface Notice {
  readonly type: 'notice';
  readonly message: string;
  readonly step: StepRef | undefined;
}

export type Outputs = Readonly<Record<string, Node>>;

/** How one step ended. A failure is a value, never an exception. */
export type Outcome =
  | { readonly kind: 'up-to-date'; readonly outputs: Outputs }
  /** Its inputs changed, but came to the same content as before: early cutoff. */
  | { readonly kind: 'reused'; readonly outputs: Outputs }
  | {
      readonly kind: 'built';
      readonly outputs: Outputs;
      readonly durationMs: number;
      readonly log: Digest | undefined;
      /** In folders that an earlier build had left. */
      readonly incremental?: boolean | undefined;
      /** What its compilers were answered from a compile cache, where it was done with one. */
      readonly compileCache?: CompileCacheCounts | undefined;
      /** Where else it was done than here. */
      readonly remote?: RemoteRun | undefined;
    }
  /** Made by others, whose word counts, and taken from where they put it. */
  | {
      readonly kind: 'substituted';
      readonly outputs: Outputs;
      readonly durationMs: number;
      /** By the names of their keys; none where this machine made it itself, and had lost it. */
      readonly signers: readonly string[];
    }
  | Failed
  | { readonly kind: 'skipped'; readonly because: readonly string[] }
  | { readonly kind: 'cancelled' };

/** What a step has given, unless it ended without giving anything. */
export function outputsOfOutcome(outcome: Outcome): Outputs | undefined {
  switch (outcome.kind) {
    case 'up-to-date':
    case 'reused':
    case 'built':
    case 'substituted':
      return outcome.outputs;
    case 'failed':
    case 'skipped':
    case 'cancelled':
      return undefined;
  }
}

export interface Failed {
  readonly kind: 'failed';
  readonly failure: Failure;
  readonly durationMs: number;
}

export interface Failure {
  readonly reason: FailureReason;
  /** One sentence that says what happened. */
  readonly message: string;
  readonly hint: string | undefined;
  /** A stable code: the UserError's where one was the cause, else BUILD_FAILED and the like. */
  readonly code: string;
  /** The end of the log, whole lines. */
  readonly logTail: readonly string[];
  /** File with all of the log. */
  readonly logFile: string | undefined;
  /** Folder the step was run in, kept for `cairn shell --failed`. */
  readonly keptFolder: string | undefined;
  /** Where else it failed than here. */
  readonly remote?: RemoteRun | undefined;
}

export type FailureReason =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'timeout'; readonly limitSeconds: number }
  | { readonly kind: 'silence'; readonly limitSeconds: number }
  | { readonly kind: 'memory'; readonly limitBytes: number }
  | { readonly kind: 'processes'; readonly limitCount: number }
  | { readonly kind: 'log-size'; readonly limitBytes: number }
  | { readonly kind: 'disk-full' }
  | { readonly kind: 'bad-output' }
  | { readonly kind: 'input' };
