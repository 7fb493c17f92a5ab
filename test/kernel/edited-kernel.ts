// The real kernel's sources in two folders of this machine, edited alike: one is built incrementally, the other cleanly, both by
// the built command line in the usual store. Knows nothing of which edits there are.

import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ParsedRecord } from '../support/json-records.ts';
import { finished } from '../support/cairn-project.ts';
import { EditedTree, type TreeState } from '../support/edited-tree.ts';
import { builtOutput, imageTestsConfig, startOwnCairn } from '../support/own-flake.ts';

const execute = promisify(execFile);

export interface Wish {
  /** What is built, as the command line takes it. */
  readonly targets: readonly string[];
  /** Further options of the command line. */
  readonly options: readonly string[];
}

export interface BuiltKernel {
  readonly status: number | null;
  /** By target. */
  readonly digests: Readonly<Record<string, string>>;
  /** Whether something was made in kept folders. */
  readonly isIncremental: boolean;
  /** What the makefiles were asked for in kept folders: `image`, `all`… */
  readonly askedFor: readonly string[];
  readonly seconds: number;
  /** The end of what was said, for when it failed. */
  readonly said: string;
}

export class EditedKernel {
  readonly tree: EditedTree;
  readonly #folder: string;
  readonly #wish: Wish;
  readonly #hasGit: boolean;
  /** What the folders have now. */
  #written: TreeState = new Map();

  private constructor(folder: string, options: { wish: Wish; source: string; hasGit: boolean }) {
    this.#folder = folder;
    this.#wish = options.wish;
    this.#hasGit = options.hasGit;
    this.tree = new EditedTree(options.source);
  }

  /** Two copies of the archive's content; the one that is built incrementally is a work tree of git, where that is there. */
  static async open(wish: Wish): Promise<EditedKernel> {
    const source = await builtOutput('source@x86_64-linux', imageTestsConfig);
    const folder = mkdtempSync(join(tmpdir(), 'cairn-kernel-'));
    for (const name of ['edited', 'again']) {
      await execute('cp', ['--recursive', '--preserve=mode,links', source, join(folder, name)]);
      await execute('chmod', ['--recursive', 'u+w', join(folder, name)]);
    }
    const hasGit = await execute('git', ['--version']).then(
      () => true,
      () => false,
    );
    const kernel = new EditedKernel(folder, { wish, source, hasGit });
    if (hasGit) {
      await kernel.#git('init', '--quiet', '--initial-branch=main');
      await kernel.#git('add', '--all');
      await kernel.#git('commit', '--quiet', '--message=all');
    }
    return kernel;
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Brings what was done to `tree` into both folders; the edited one gets this time, or that of now. */
  write(time?: Date): void {
    const state = this.tree.state();
    this.tree.apply(this.#at('edited'), this.#written, state, time);
    this.tree.apply(this.#at('again'), this.#written, state);
    this.#written = state;
  }

  /** Only into the edited folder, for what is undone before anything else happens. */
  writeForAMoment(state: TreeState): () => void {
    this.tree.apply(this.#at('edited'), this.#written, state);
    return () => this.tree.apply(this.#at('edited'), state, this.#written);
  }

  /** Another branch, with this state, before anything was done on the first. */
  async addBranch(name: string, state: TreeState): Promise<void> {
    if (!this.#hasGit) return;
    await this.#git('checkout', '--quiet', '-b', name);
    this.tree.apply(this.#at('edited'), new Map(), state);
    await this.#git('add', '--all');
    await this.#git('commit', '--quiet', `--message=${name}`);
    await this.#git('checkout', '--quiet', 'main');
  }

  /** Puts what is there now by, and goes to another branch, by git itself where that is there. */
  async switchTo(branch: string, state: TreeState): Promise<void> {
    this.tree.restore(state);
    if (this.#hasGit) {
      await this.#git('add', '--all');
      await this.#git('commit', '--quiet', '--allow-empty', '--message=what was done');
      await this.#git('checkout', '--quiet', branch);
      this.tree.apply(this.#at('again'), this.#written, state);
      this.#written = state;
    } else this.write();
  }

  incrementally(): Promise<BuiltKernel> {
    return this.#build('edited', []);
  }

  cleanly(): Promise<BuiltKernel> {
    return this.#build('again', ['--clean']);
  }

  /** Kills the build, all at once, when so much of a usual one has passed. True when it was still at work. */
  async killed(afterMs: number): Promise<boolean> {
    const child = startOwnCairn(this.#command('edited', []));
    child.stdin?.end();
    const ended = finished(child);
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
    const { status } = await ended;
    clearTimeout(timer);
    return status === null;
  }

  async #build(folder: string, options: readonly string[]): Promise<BuiltKernel> {
    const startedMs = performance.now();
    const child = startOwnCairn(this.#command(folder, options));
    child.stdin?.end();
    const ran = await finished(child);
    const targets = ran.events.filter(({ type }) => type === 'target');
    const text = textOf(ran.events);
    return {
      status: ran.status,
      digests: Object.fromEntries(targets.map(({ target, digest }) => [String(target), String(digest)])),
      isIncremental: ran.events.some(
        ({ type, incremental }) => type === 'step-finished' && incremental === true,
      ),
      askedFor: [...text.matchAll(/^asked for, since the last build: (\S+)/gm)].map(([, plan]) => plan!),
      seconds: (performance.now() - startedMs) / 1000,
      said: `${text.slice(-3000)}\n${ran.stderr.slice(-1000)}`,
    };
  }

  #command(folder: string, options: readonly string[]): readonly string[] {
    const flake = ['--config', imageTestsConfig];
    return [
      'build',
      ...this.#wish.targets,
      ...this.#wish.options,
      ...flake,
      '--override',
      `linux=${this.#at(folder)}`,
      '--json',
      ...options,
    ];
  }

  #at(name: string): string {
    return join(this.#folder, name);
  }

  async #git(...args: readonly string[]): Promise<void> {
    const who = [
      '-c',
      'user.name=a',
      '-c',
      'user.email=a@example.org',
      '-c',
      'gc.auto=0',
      '-c',
      'core.compression=0',
    ];
    await execute('git', ['-C', this.#at('edited'), ...who, ...args]);
  }
}

/** One line of what a build came to, while others are still to come. */
export function report(what: string, { status, seconds, askedFor, isIncremental }: BuiltKernel): void {
  const asked = askedFor.length > 0 ? ` (${askedFor.join(', ')})` : '';
  const how = isIncremental ? `, incrementally${asked}` : '';
  process.stderr.write(`${what}: ${status === 0 ? '' : `status ${status}, `}${seconds.toFixed(1)} s${how}\n`);
}

function textOf(records: readonly ParsedRecord[]): string {
  return records
    .filter(({ type }) => type === 'step-output')
    .map(({ text }) => String(text))
    .join('');
}
