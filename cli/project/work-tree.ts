// Which commit a folder of git has, and whether something was changed since: for people to read, never part of what is built.
// Asks git, where it is there; without it nothing is known. Knows nothing of inputs.

import { spawn } from 'node:child_process';
import type { Records } from '../../store/index.ts';

export interface WorkTree {
  readonly commit: string;
  /** Whether the folder holds something else than the commit; undefined when git does not say. */
  readonly isChanged: boolean | undefined;
}

export interface WorkTreeOptions {
  readonly records: Records;
  /** What an import saw of the folder: while it sees the same, git need not look at all of it again. */
  readonly seen: string | undefined;
  readonly signal: AbortSignal;
}

/** Undefined where no commit is, or git does not say. */
export async function workTreeOf(folder: string, options: WorkTreeOptions): Promise<WorkTree | undefined> {
  const git = (...words: readonly string[]): Promise<Answer> => askGit(folder, words, options.signal);
  const head = await git('rev-parse', '--verify', '--quiet', 'HEAD^{commit}');
  const commit = head.text.trim();
  if (head.status !== 0 || commit === '') return undefined;
  const { records, seen } = options;
  const key = `work-tree 1 ${folder}`;
  const known = records.cached(key) as Known | undefined;
  if (seen !== undefined && known?.commit === commit && known.seen === seen)
    return known.isOurs ? { commit, isChanged: known.isChanged } : undefined;
  // A folder that a repository around it ignores is none of that one's.
  const isOurs = (await git('check-ignore', '--quiet', '.')).status === 1;
  const status = await git('status', '--porcelain', '--untracked-files=normal', '.');
  const isChanged = status.text !== '';
  if (!isChanged && status.status !== 0) return { commit, isChanged: undefined };
  if (seen !== undefined && !options.signal.aborted)
    await records.update((writer) =>
      writer.putCached(key, { commit, seen, isOurs, isChanged } satisfies Known),
    );
  return isOurs ? { commit, isChanged } : undefined;
}

type Known = {
  readonly commit: string;
  readonly seen: string;
  readonly isOurs: boolean;
  readonly isChanged: boolean;
};

interface Answer {
  /** Undefined when it was ended, or there is no git. */
  readonly status: number | null;
  readonly text: string;
}

// It writes nothing, and starts nothing that the folder's own settings name. What it says first is enough.
function askGit(folder: string, words: readonly string[], signal: AbortSignal): Promise<Answer> {
  const argv = ['-C', folder, '-c', 'core.fsmonitor=false', '--no-optional-locks', ...words];
  return new Promise((resolve) => {
    const child = spawn('git', argv, { stdio: ['ignore', 'pipe', 'ignore'], signal });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.length > 4096) child.kill();
    });
    child.on('error', () => resolve({ status: null, text: '' }));
    child.on('close', (status) => resolve({ status, text }));
  });
}
