// What rounds make goes to caches, as with a build: while it is made, and what is left once what follows has started. A newer
// round ends it, and brings what is wanted by then.

import type { BuildReport, Emit, Event } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import type { Project } from '../project/project.ts';
import type { PushFlags, Pushing } from '../project/pushing.ts';

interface Running {
  readonly pushing: Pushing;
  readonly ending: AbortController;
  /** What came of the round; undefined before it has ended. */
  report: BuildReport | undefined;
  /** Resolves when nothing of it is under way. */
  ended: Promise<void> | undefined;
}

export class WatchedPush {
  readonly #context: Context;
  readonly #flags: PushFlags;
  #running: Running | undefined;

  constructor(context: Context, flags: PushFlags) {
    this.#context = context;
    this.#flags = flags;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** A round begins; that before must have been ended. @throws UserError `KEY_INVALID`, `CACHE_INVALID` */
  async begin(
    project: Project,
    { emit, signal: round }: { readonly emit: Emit; readonly signal: AbortSignal },
  ): Promise<void> {
    const { openPushing } = await import('../project/pushing.ts');
    const ending = new AbortController();
    const signal = AbortSignal.any([ending.signal, round, this.#context.signal]);
    const pushing = await openPushing({ ...this.#context, signal }, project, { flags: this.#flags, emit });
    this.#running = pushing && { pushing, ending, report: undefined, ended: undefined };
  }

  hear(event: Event): void {
    this.#running?.pushing.hear(event);
  }

  /** The round has come to its end with this. */
  made(report: BuildReport): void {
    if (this.#running !== undefined) this.#running.report = report;
  }

  /** Brings what is left, and says what has come of it. */
  async finish(): Promise<void> {
    const running = this.#running;
    if (running?.report === undefined) return;
    const { outputs, conflicts } = running.report;
    running.ended ??= running.pushing.done([...outputs.keys()]);
    await running.ended;
    if (running.ending.signal.aborted || this.#context.signal.aborted) return;
    running.pushing.tell(conflicts);
    this.#running = undefined;
  }

  /** Breaks off what is under way. */
  async end(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.ending.abort(new DOMException('something newer is to be built', 'AbortError'));
    await (running?.ended ?? running?.pushing.done([]));
  }
}
