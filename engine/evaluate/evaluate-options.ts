// What an evaluation is asked for. Types only.

import type { Store } from '../../store/index.ts';
import type { Changes, FolderObserver } from './folder-imports.ts';

export interface EvaluateOptions {
  /** Absolute, from `findConfig` or what a person named. */
  readonly configPath: string;
  readonly store: Store;
  /** Folders that stand for inputs. */
  readonly overrides?: Overrides;
  /** Where declared variables are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names of outputs that are wanted, like `lsb` or `lsb@x86_64-linux`: only their targets are evaluated. */
  readonly names: readonly string[];
  /** False to evaluate even if nothing has changed. */
  readonly useCache?: boolean;
  /** What may have changed in local folders: nothing else of them is looked at. All of them is when not given. */
  readonly changes?: Changes;
  readonly signal?: AbortSignal;
  /** Gets what the config writes with `console`. */
  readonly onPrint?: (text: string) => void;
  /** How long one call into the config may take. */
  readonly limitMs?: number;
  /** Told of every place that the evaluation turns out to depend on, also of one that fails. */
  readonly observer?: EvaluationObserver;
  /** Does what hears of nothing while it is done, and may never end by itself: whoever listens to signals looks to that. */
  readonly computing?: Computing;
}

/** By input: an absolute path. */
export type Overrides = Readonly<Record<string, string>>;

export interface EvaluationObserver extends FolderObserver {
  /** A file that is read, or looked for. */
  onFile(path: string): void;
}

export type Computing = <T>(work: () => T) => Promise<T>;

/** What it takes to load a flake without evaluating its outputs. */
export type LoadFlakeOptions = Pick<
  EvaluateOptions,
  'configPath' | 'store' | 'onPrint' | 'limitMs' | 'computing'
>;
