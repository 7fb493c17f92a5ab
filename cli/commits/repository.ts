// A person's git repository, read and never written to: which commits a name or a range stands for.

import { resolve } from 'node:path';
import { UserError } from '../../store/base/errors.ts';
import { readTextIfThere } from '../../store/base/named-file.ts';
import { git, GitRefusal } from './git.ts';

export interface Commit {
  /** Its name in full. */
  readonly id: string;
  /** The first line of its message. */
  readonly subject: string;
}

export interface Repository {
  /** The folder that was named: the top of a work tree, a folder in one, or a bare repository. Absolute. */
  readonly folder: string;
  /** Where in the tree of a commit that folder is; '' for all of it. */
  readonly below: string;
  /** Its objects' folder. */
  readonly objects: string;
  /** How its objects are named. */
  readonly format: string;
  /** The commits whose parents it does not have, as its file says; undefined when it has all. */
  readonly shallow: string | undefined;
}

/** @throws UserError `USAGE` when `folder` is in no repository; `ENVIRONMENT_UNSUPPORTED` when there is no git. */
export async function openRepository(folder: string): Promise<Repository> {
  const path = resolve(folder);
  const asked = ['--show-object-format', '--git-path', 'objects', '--git-path', 'shallow', '--show-prefix'];
  const words = (
    await explained(`${path} is no git repository`, () => git(path, ['rev-parse', ...asked]))
  ).split('\n');
  const [format = 'sha1', objects = '', shallow = '', below = ''] = words;
  return {
    folder: path,
    below: below.replace(/\/$/, ''),
    objects: resolve(path, objects),
    format,
    shallow: await readTextIfThere(resolve(path, shallow)),
  };
}

/** The commit that a name stands for. @throws UserError `USAGE` */
export async function findCommit({ folder }: Repository, name: string): Promise<Commit> {
  refuseOption(name);
  const format = '--format=%H%x00%s';
  const text = await explained(`${folder} has no commit "${name}"`, () =>
    git(folder, ['log', '-1', format, `${name}^{commit}`, '--']),
  );
  return commitsIn(text)[0]!;
}

/** The commits of `BASE..TIP`, a parent before its children. @throws UserError `USAGE` */
export async function commitsOf(repository: Repository, range: string): Promise<readonly Commit[]> {
  refuseOption(range);
  const [, base, tip] = /^(.+?)\.\.(?!\.)(.*)$/s.exec(range) ?? [];
  if (base === undefined || tip === undefined) {
    throw new UserError('USAGE', `"${range}" is no range of commits`, {
      hint: 'Write BASE..TIP: the commits of TIP that BASE has not, for example v6.12..HEAD.',
    });
  }
  const ends = [await findCommit(repository, base), await findCommit(repository, tip === '' ? 'HEAD' : tip)];
  const between = `${ends[0]!.id}..${ends[1]!.id}`;
  const words = ['log', '--reverse', '--topo-order', '--format=%H%x00%s', between, '--'];
  return commitsIn(await git(repository.folder, words));
}

/** A commit as it is named to people. */
export function shortId({ id }: Pick<Commit, 'id'>): string {
  return id.slice(0, 12);
}

function commitsIn(text: string): readonly Commit[] {
  return text.split('\n').flatMap((line) => {
    const [id = '', subject = ''] = line.split('\0');
    return id === '' ? [] : [{ id, subject }];
  });
}

function refuseOption(name: string): void {
  if (!name.startsWith('-')) return;
  throw new UserError('USAGE', `"${name}" is no name of a commit`, {
    hint: 'Name a branch, a tag or a commit.',
  });
}

async function explained<T>(problem: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GitRefusal)) throw error;
    throw new UserError('USAGE', problem, { hint: `git says: ${error.message}`, cause: error });
  }
}
