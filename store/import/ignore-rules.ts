// Which names of a folder are left out of an import: what git ignores there, beside `.git` itself, and what `.cairnignore`
// files say in the same words. As in git (gitignore(5)) the nearest file decides, and within it the last pattern; files
// of the directories above count up to the top of the work tree, then `.git/info/exclude` and the person's own file; and
// what git tracks it does not ignore. Files that git has no say in (`.cairnignore`, the caller's patterns) also leave out
// what is tracked, and reach into repositories within.

import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Patterns, bytesOf } from './git/patterns.ts';
import {
  decidingGitFiles,
  isRepository,
  noRepository,
  readRepository,
  type Repository,
} from './git/repository.ts';

/** `partly`: a directory that git ignores, but that has tracked files in it. */
export type Verdict = 'kept' | 'partly' | 'left out';

/** Names in a directory that decide what else of it counts. */
export interface Names {
  has(name: string): boolean;
}

const repositoryName = '.git';
const gitFileName = '.gitignore';
const ownFileName = '.cairnignore';

/** True for a name that counts even where it is left out. */
export function isIgnoreFileName(name: string): boolean {
  return name === gitFileName || name === ownFileName;
}

export function isRepositoryName(name: string): boolean {
  return name === repositoryName;
}

/** What one directory brings in. Paths are bytes, absolute. */
interface Level {
  /** The directory, with a slash at its end. */
  readonly place: string;
  /** The list that outranks the others first. */
  readonly lists: readonly PatternList[];
  /** Set at the top of a work tree: nothing of git's above it counts. */
  readonly repository: Repository | undefined;
  /** Git ignores the directory, and so does not look for ignore files in it. */
  readonly isIgnored: boolean;
}

interface PatternList {
  readonly isGits: boolean;
  readonly patterns: Patterns;
}

interface Decision {
  readonly isIgnored: boolean;
  readonly byGit: boolean;
}

interface Fields {
  readonly id: string;
  readonly parent: IgnoreRules | undefined;
  readonly level: () => Level;
  readonly exclude: { readonly place: string; readonly patterns: Patterns } | undefined;
}

/** The rules in force in one directory. Immutable; files are read and compiled only when a name has to be judged. */
export class IgnoreRules {
  /** Equal when the same rules are in force: a hash over all files that count, from the top down. */
  readonly id: string;
  readonly #fields: Fields;
  #found: readonly Level[] | undefined;

  private constructor(fields: Fields) {
    this.id = fields.id;
    this.#fields = fields;
  }

  /**
   * The rules above a folder's own: what the caller excludes, which outranks every file, and the files above it. Those do
   * not count when they ignore the folder itself: somebody has named it all the same, and git says nothing of what is in it.
   */
  static above(folder: string, exclude: readonly string[]): IgnoreRules {
    const outer = rulesAround(folder);
    const text = exclude.join('\n');
    return new IgnoreRules({
      id: hash(outer.id, text),
      parent: outer,
      level: () => emptyLevel(folder),
      exclude: { place: placeOf(folder), patterns: new Patterns(bytesOf(text), { ignoreCase: false }) },
    });
  }

  static readonly none = new IgnoreRules({
    id: hash('', ''),
    parent: undefined,
    level: () => emptyLevel('/'),
    exclude: undefined,
  });

  /**
   * The rules in a directory that has these names.
   * @param scope a directory in it that is all that matters, '' for the whole
   */
  inside(folder: string, names: Names, scope = ''): IgnoreRules {
    if (!hasRules(names)) return this;
    const { level, text } = this.#read(folder, names, scope);
    return this.#below(hash(this.id, text), () => level);
  }

  /** The same when the id is known already, without reading the files before they are needed. */
  insideKnown(folder: string, names: Names, id: string): IgnoreRules {
    if (!hasRules(names)) return this;
    return this.#below(id, () => this.#read(folder, names, '').level);
  }

  /** The rules above a directory's own when the verdict on it is `partly`. */
  partlyInside(folder: string): IgnoreRules {
    const all = new Patterns('*', { ignoreCase: false });
    const lists = [{ isGits: true, patterns: all }];
    return this.#below(hash(this.id, 'partly'), () => ({ ...emptyLevel(folder), lists, isIgnored: true }));
  }

  /** The id of the repository whose work tree's top is this directory, which these are the rules in. */
  repositoryIn(folder: string): string {
    const { repository } = this.#levels()[0]!;
    return repository?.folder === folder ? repository.id : noRepository;
  }

  /** What becomes of an entry. The directories above it, up to where these rules are in force, are not left out. */
  judge(path: string, isDirectory: boolean): Verdict {
    if (path.endsWith(`/${repositoryName}`)) return 'left out';
    const tested = bytesOf(path);
    const { exclude } = this.#fields;
    const isExcluded = exclude?.patterns.judge(tested.slice(exclude.place.length), isDirectory);
    if (isExcluded !== undefined) return isExcluded ? 'left out' : 'kept';
    const decision = this.#decide(tested, isDirectory, { asksGit: true });
    if (decision?.isIgnored !== true) return 'kept';
    const tracked = decision.byGit ? this.#tracked(tested, isDirectory) : 'left out';
    // Of what is tracked git says nothing: then the others decide.
    const isLeftOut =
      tracked === 'left out' || this.#decide(tested, isDirectory, { asksGit: false })?.isIgnored === true;
    return isLeftOut ? 'left out' : tracked;
  }

  // The nearest file that says anything decides.
  #decide(
    path: string,
    isDirectory: boolean,
    { asksGit }: { readonly asksGit: boolean },
  ): Decision | undefined {
    let isGitsWorkTree = asksGit;
    for (const { place, lists, repository } of this.#levels()) {
      for (const { isGits, patterns } of lists) {
        if (isGits && !isGitsWorkTree) continue;
        const isIgnored = patterns.judge(path.slice(place.length), isDirectory);
        if (isIgnored !== undefined) return { isIgnored, byGit: isGits };
      }
      isGitsWorkTree &&= repository === undefined;
    }
    return undefined;
  }

  #tracked(path: string, isDirectory: boolean): Verdict {
    const repository = this.#repository();
    if (repository === undefined) return 'left out';
    const inWorkTree = path.slice(placeOf(repository.folder).length);
    if (repository.tracked.has(inWorkTree)) return 'kept';
    return isDirectory && repository.tracked.hasBelow(inWorkTree) ? 'partly' : 'left out';
  }

  #read(folder: string, names: Names, scope: string): { readonly level: Level; readonly text: string } {
    const repository = names.has(repositoryName) ? readRepository(folder, scope) : undefined;
    const isIgnored = repository === undefined && this.#isIgnored();
    const { ignoreCase = false } = repository ?? this.#repository() ?? {};
    const own = names.has(ownFileName) ? readIgnoreFile(`${folder}/${ownFileName}`) : '';
    const git = names.has(gitFileName) && !isIgnored ? readIgnoreFile(`${folder}/${gitFileName}`) : '';
    const gitTexts = [git, ...(repository?.ignoreTexts ?? [])];
    const lists = [
      { isGits: false, patterns: new Patterns(own, { ignoreCase: false }) },
      ...gitTexts.map((text) => ({ isGits: true, patterns: new Patterns(text, { ignoreCase }) })),
    ].filter(({ patterns }) => !patterns.isEmpty);
    const text = [folder, own, git, repository?.id ?? noRepository].join('\0');
    return { level: { place: placeOf(folder), lists, repository, isIgnored: false }, text };
  }

  #below(id: string, level: () => Level): IgnoreRules {
    return new IgnoreRules({ id, parent: this, level, exclude: this.#fields.exclude });
  }

  /** The nearest first. */
  #levels(): readonly Level[] {
    const { level, parent } = this.#fields;
    return (this.#found ??= [level(), ...(parent === undefined ? [] : parent.#levels())]);
  }

  #repository(): Repository | undefined {
    return this.#levels().find(({ repository }) => repository !== undefined)?.repository;
  }

  #isIgnored(): boolean {
    const level = this.#levels().find(({ isIgnored, repository }) => isIgnored || repository !== undefined);
    return level?.isIgnored === true;
  }
}

// The rules of the directories from the top of the work tree down to a folder in it.
function rulesAround(folder: string): IgnoreRules {
  const top = isRepository(folder) ? undefined : workTreeAround(folder);
  if (top === undefined) return IgnoreRules.none;
  const path = folder.slice(placeOf(top).length);
  let [rules, directory] = [IgnoreRules.none, top];
  for (const name of path.split('/')) {
    rules = rules.inside(directory, namesOnDisk(directory), path);
    directory = `${placeOf(directory)}${name}`;
    if (rules.judge(directory, true) !== 'kept') return IgnoreRules.none;
  }
  return rules;
}

/** Files outside a folder that have a say in what of it is left out, whether they are there or not. */
export function decidingFiles(folder: string): readonly string[] {
  const top = isRepository(folder) ? folder : workTreeAround(folder);
  if (top === undefined) return [];
  const files = [...decidingGitFiles(top)];
  for (let directory = folder; directory !== top;) {
    directory = dirname(directory);
    files.push(`${placeAt(directory)}${gitFileName}`, `${placeAt(directory)}${ownFileName}`);
  }
  return files;
}

function workTreeAround(folder: string): string | undefined {
  const parent = dirname(folder);
  if (parent === folder) return undefined;
  return isRepository(parent) ? parent : workTreeAround(parent);
}

/** Looks for each name when it is asked for. */
export function namesOnDisk(folder: string): Names {
  return { has: (name) => lstatSync(`${folder}/${name}`, { throwIfNoEntry: false }) !== undefined };
}

function hasRules(names: Names): boolean {
  return names.has(repositoryName) || names.has(gitFileName) || names.has(ownFileName);
}

// Git does not follow a symlink here, which could lead out of the work tree.
function readIgnoreFile(path: string): string {
  const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return isFile ? readFileSync(path, 'latin1') : '';
}

function emptyLevel(folder: string): Level {
  return { place: placeOf(folder), lists: [], repository: undefined, isIgnored: false };
}

function placeOf(folder: string): string {
  return bytesOf(placeAt(folder));
}

function placeAt(folder: string): string {
  return folder === '/' ? folder : `${folder}/`;
}

/** 32 hex digits. */
function hash(parentId: string, text: string): string {
  return createHash('sha256').update(`${parentId}\0${text}`).digest('hex').slice(0, 32);
}
