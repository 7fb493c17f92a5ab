// The machine's own git, asked about a repository. Knows nothing of what is done with commits.

import { execFile } from 'node:child_process';
import { isErrno, UserError } from '../../store/base/errors.ts';

/** What git said when it refused. */
export class GitRefusal extends Error {
  override readonly name = 'GitRefusal';
}

// Set where git itself has started this process, as in a hook or under `git bisect run`: they would lead to that repository.
const leadingElsewhere = [
  ...['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX', 'GIT_COMMON_DIR', 'GIT_NAMESPACE'],
  ...['GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES'],
];

/** An environment in which git finds the repository that it is told, and writes nothing that it need not. */
export function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => !leadingElsewhere.includes(name));
  return { ...Object.fromEntries(own), GIT_OPTIONAL_LOCKS: '0' };
}

/**
 * What `git` writes when it is called in `folder`.
 * @throws GitRefusal when it ends with another status than 0; UserError `ENVIRONMENT_UNSUPPORTED` when there is no git.
 */
export async function git(folder: string, args: readonly string[], env = process.env): Promise<string> {
  const options = { env: gitEnvironment(env), maxBuffer: 256 * 1024 * 1024 };
  return new Promise((resolve, reject) => {
    execFile('git', ['-C', folder, ...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (isErrno(error, 'ENOENT', 'EACCES')) reject(missingGit(error));
      else reject(new GitRefusal(stderr.trim() === '' ? error.message : stderr.trim(), { cause: error }));
    });
  });
}

export function missingGit(cause: unknown): UserError {
  return new UserError(
    'ENVIRONMENT_UNSUPPORTED',
    'commits are read by git, and there is none on this machine',
    {
      hint: 'Install git, or put it on PATH.',
      fault: 'environment',
      cause,
    },
  );
}
