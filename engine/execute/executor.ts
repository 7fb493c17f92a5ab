// The seam between "what to run" and "where". An executor is dumb: it is handed content addresses only.

import type { Batch, Kept, Node } from '../../store/index.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { FailureReason } from '../events.ts';
import type { CompileCacheCounts } from '../compile-cache/counts.ts';
import type { CompileCacheKeys } from '../compile-cache/keys.ts';
import type { Incremental, Limits, Platform } from '../model/derivation.ts';
import type { Pace } from '../schedule/pace.ts';
import type { RemoteRun } from './remote-run.ts';

/** A resolved `run` derivation: everything a machine needs to know to run it, and nothing else. */
export interface BuildRequest {
  /** For the log's name and process titles only. */
  readonly name: string;
  readonly platform: Platform;
  /** Trees stacked into the root, lowest first. */
  readonly layers: readonly Digest[];
  /** Read-only inputs by absolute path, sorted by path. */
  readonly inputs: readonly { readonly path: string; readonly node: Node }[];
  readonly env: Readonly<Record<string, string>>;
  readonly argv: readonly string[];
  readonly outputs: readonly string[];
  /** Those of them that may stay empty. */
  readonly mayBeEmpty: readonly string[];
  readonly limits: Limits;
  /** Folders to be made in the one that the step begins in, and which inputs it may be done again from in part. */
  readonly incremental?: Incremental;
}

export interface ExecuteOptions {
  readonly signal: AbortSignal;
  /** Gets the log as it is written. */
  readonly onOutput: (text: string) => void;
  /** Folders that are kept between builds: the step is done in them, and from their sources. Taken back, not released. */
  readonly kept?: Kept;
  /**
   * True: the files of the outputs come here with them. Otherwise those of a command that is done elsewhere may stay where it was
   * done; its nodes come in any case, and the batch says what stays where.
   */
  readonly bringsFiles?: boolean;
  /** What compilers may answer from; absent in every clean build. Not released. */
  readonly compileCache?: CompileCacheUse;
  /** Conditions varied by `cairn check`; absent means the usual ones. */
  readonly variation?: Variation;
}

/** A compile cache that is the step's own meanwhile. */
export interface CompileCacheUse {
  /** The folder of this machine that it is kept in. */
  readonly path: string;
  /** The tree with ccache. */
  readonly tool: Digest;
  /** Absolute paths in the step. */
  readonly compilers: readonly string[];
  readonly keys: CompileCacheKeys;
  readonly maxBytes: number;
}

/**
 * Conditions that must not matter to a result. `cairn check` builds a second time with all of them changed. The clock is
 * not among them: faking it takes privileges or a preloaded library, but the second is another, and SOURCE_DATE_EPOCH stays.
 */
export interface Variation {
  /** Absolute path of the folder the step works in, and its HOME. */
  readonly buildFolder: string;
  /** User and group id inside. Only this one is mapped: `chown` to any other fails. */
  readonly uid: number;
  readonly umask: number;
  /** How many jobs it is told to run; it gets no jobserver. */
  readonly jobs: number;
  /** How many processors it may use, if this machine has so many. */
  readonly processors: number;
  /**
   * Layers and inputs list their entries in another order (each folder is an overlay of two halves). What the step makes
   * itself is listed as the file system will.
   */
  readonly shuffledReaddir: boolean;
}

/** What a command used. */
export interface ResourceUse {
  /** Wall time, in milliseconds. */
  readonly durationMs: number;
  /** Processor time, in milliseconds, where it is known. */
  readonly cpuMs: number | undefined;
  /** The most resident memory that its processes were seen to have together, in bytes; pages they share count for each. */
  readonly peakMemoryBytes: number | undefined;
}

/**
 * What came of a request: nodes, and in `batch`, not yet committed, their content, or where it was left. Whoever asked commits or
 * discards it.
 */
export type ExecuteResult =
  | {
      readonly kind: 'succeeded';
      readonly outputs: Readonly<Record<string, Node>>;
      readonly batch: Batch;
      readonly log: Digest | undefined;
      readonly use: ResourceUse;
      /** When it was done with a compile cache. */
      readonly compileCache?: CompileCacheCounts;
      /** When it was done elsewhere. */
      readonly remote?: RemoteRun;
    }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason;
      readonly message: string;
      /** What to do about it, where that is known. */
      readonly hint?: string;
      readonly logTail: readonly string[];
      readonly logFile: string;
      readonly keptFolder: string | undefined;
      readonly durationMs: number;
      /** When it was done elsewhere. */
      readonly remote?: RemoteRun;
    }
  | { readonly kind: 'cancelled' };

/** Runs requests. @throws MissingBlob when an input's content is not there; UserError `SANDBOX_UNAVAILABLE`. */
export interface Executor {
  execute(request: BuildRequest, options: ExecuteOptions): Promise<ExecuteResult>;
  /** True when it does steps in kept folders and with compile caches; else it is given none. */
  readonly keepsFolders: boolean;
  /** Processor time that the requests which have ended took, all together, in milliseconds. */
  buildersCpuMs(): number;
  close(): Promise<void>;
}

/** The tree with the sandbox's own program, when the flake gives one. */
export interface OfferedTool {
  readonly tree: Digest;
  /** A folder with its content. */
  folder(): Promise<string>;
}

/** An executor that the scheduler may choose, opened when the first command is given to it. */
export interface ExecutorOffer {
  readonly pool: `run:${string}`;
  readonly platforms: readonly Platform[];
  /** How many commands at once. */
  readonly slots: number;
  /** True for this machine. */
  readonly isHere: boolean;
  /** As it is expected to be by what was seen so far. */
  readonly pace: Pace;
  /** How many cores a command is expected to have to itself, while so many slots are free, its own among them. */
  coresOf(freeSlots: number): number;
  /** True for a tree of which it is known to have all. */
  isKnownThere(tree: Digest): boolean;
  open(tool: OfferedTool | undefined): Promise<Executor>;
}
