// A bisection by git itself, in a checkout of our own: which commits are tried, and what an exit status of the command means,
// is for git to say (git-bisect(1)). Knows nothing of builds.

import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import type { Checkout } from './checkout.ts';
import { git, gitEnvironment, GitRefusal, missingGit } from './git.ts';

export interface Bisection {
  readonly good: string;
  readonly bad: string;
  /** What the shell runs for each commit. */
  readonly command: string;
  /** Where it is run. */
  readonly workFolder: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whether what git and the command write to standard output goes to standard error. */
  readonly isQuiet: boolean;
  readonly signal: AbortSignal;
}

export interface Verdict {
  readonly id: string;
  readonly verdict: 'good' | 'bad' | 'skip';
}

export interface Bisected {
  /** The first bad commit; undefined when git could not find it. */
  readonly firstBad: string | undefined;
  /** In the order in which they were tried. */
  readonly verdicts: readonly Verdict[];
}

/** @throws UserError `USAGE` when git refuses to begin between these two. */
export async function bisect({ top }: Checkout, bisection: Bisection): Promise<Bisected> {
  const { good, bad } = bisection;
  await git(top, ['bisect', 'reset', 'HEAD']).catch(ignoreRefusal);
  try {
    await git(top, ['checkout', '--quiet', '--force', '--detach', bad, '--']);
    await git(top, ['clean', '--quiet', '-ffdx']);
    await git(top, ['bisect', 'start', bad, good]);
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    throw new UserError('USAGE', 'git cannot bisect between these two', {
      hint: `git says: ${error.message}`,
      cause: error,
    });
  }
  const status = await runBisection(top, bisection);
  const verdicts = verdictsIn(await git(top, ['bisect', 'log']));
  if (status !== 0) return { firstBad: undefined, verdicts };
  return { firstBad: (await git(top, ['rev-parse', 'refs/bisect/bad'])).trim(), verdicts };
}

// What a command leaves in the tree of one commit is not there for the next. The shell's own words for "not found" and "not
// a program" are bad commits, as for git.
const step = `#!/bin/sh
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX
cd "$CAIRN_BISECT_FOLDER" || exit 128
/bin/sh -c "$CAIRN_BISECT_RUN"
status=$?
git -C "$CAIRN_BISECT_TOP" reset --quiet --hard && git -C "$CAIRN_BISECT_TOP" clean --quiet -ffdx || exit 128
exit $status
`;

async function runBisection(
  top: string,
  { command, workFolder, env, isQuiet, signal }: Bisection,
): Promise<number> {
  const program = join(top, '.git/cairn-step');
  await writeFile(program, step, { mode: 0o755 });
  const child = spawn('git', ['-C', top, 'bisect', 'run', program], {
    stdio: ['inherit', isQuiet ? 2 : 'inherit', 'inherit'],
    env: {
      ...gitEnvironment(env),
      CAIRN_BISECT_FOLDER: workFolder,
      CAIRN_BISECT_RUN: command,
      CAIRN_BISECT_TOP: top,
    },
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on('error', (error) => reject(isErrno(error, 'ENOENT') ? missingGit(error) : error));
      child.on('close', (status) => resolve(status ?? 128));
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function verdictsIn(log: string): readonly Verdict[] {
  const found = log.matchAll(/^git bisect (good|bad|skip) ([0-9a-f]{40,})$/gm);
  return [...found].map(([, verdict, id]) => ({ id: id!, verdict: verdict as Verdict['verdict'] }));
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof GitRefusal)) throw error;
}
