// Which names of a folder are left out of an import: ignore files at every level, nearest last, as git reads them
// (gitignore(5)), beside `.git` itself. Only the folder's own files count: not what git is configured to ignore elsewhere.

import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import ignore, { type Ignore } from 'ignore';

/** Read in this order, so that a later one can take back what an earlier one ignores. */
export const ignoreFileNames: readonly string[] = ['.gitignore', '.cairnignore'];

/** The rules in force in one directory. Immutable; patterns are read and compiled only when a name has to be judged. */
export class IgnoreRules {
  /** Equal when the same rules are in force: a hash over all ignore files from the top down. */
  readonly id: string;
  readonly #parent: IgnoreRules | undefined;
  /** Path of the directory whose rules these are, relative to the top, with a slash at the end unless it is the top. */
  readonly #prefix: string;
  readonly #text: () => string;
  readonly #exclude: Ignore | undefined;
  #patterns: Ignore | undefined;

  private constructor(fields: {
    readonly id: string;
    readonly parent: IgnoreRules | undefined;
    readonly prefix: string;
    readonly text: () => string;
    readonly exclude: Ignore | undefined;
  }) {
    this.id = fields.id;
    this.#parent = fields.parent;
    this.#prefix = fields.prefix;
    this.#text = fields.text;
    this.#exclude = fields.exclude;
  }

  /** The rules above a folder's own: what the caller excludes. They outrank every ignore file. */
  static top(exclude: readonly string[]): IgnoreRules {
    return new IgnoreRules({
      id: hash('', exclude.join('\n')),
      parent: undefined,
      prefix: '',
      text: () => '',
      exclude: exclude.length === 0 ? undefined : compile(exclude.join('\n')),
    });
  }

  /** The rules in a directory at `prefix` that has these ignore files. */
  withFiles(prefix: string, paths: readonly string[]): IgnoreRules {
    if (paths.length === 0) return this;
    const text = paths.map((path) => readFileSync(path, 'utf8')).join('\n');
    return this.#below(prefix, hash(this.id, `${prefix}\0${text}`), () => text);
  }

  /** The same when the id is known already, without reading the files before they are needed. */
  withKnownFiles(prefix: string, paths: readonly string[], id: string): IgnoreRules {
    if (paths.length === 0) return this;
    return this.#below(prefix, id, () => paths.map((path) => readFileSync(path, 'utf8')).join('\n'));
  }

  /** True when the entry at `path`, relative to the top, is left out. The directories above it are not. */
  ignores(path: string, isDirectory: boolean): boolean {
    if (path === '.git' || path.endsWith('/.git')) return true;
    const tested = isDirectory ? `${path}/` : path;
    return judge(this.#exclude, tested) ?? this.#judge(tested) ?? false;
  }

  // The nearest ignore file that says anything decides.
  #judge(path: string): boolean | undefined {
    const verdict = judge(this.#compiled(), path.slice(this.#prefix.length));
    if (verdict !== undefined || this.#parent === undefined) return verdict;
    return this.#parent.#judge(path);
  }

  #below(prefix: string, id: string, text: () => string): IgnoreRules {
    return new IgnoreRules({ id, parent: this, prefix, text, exclude: this.#exclude });
  }

  #compiled(): Ignore {
    this.#patterns ??= compile(this.#text());
    return this.#patterns;
  }
}

function judge(patterns: Ignore | undefined, path: string): boolean | undefined {
  const result = patterns?.test(path);
  if (result?.ignored === true) return true;
  return result?.unignored === true ? false : undefined;
}

function compile(text: string): Ignore {
  return ignore({ ignorecase: false, allowRelativePaths: true }).add(text);
}

/** 32 hex digits. */
function hash(parentId: string, text: string): string {
  return createHash('sha256').update(`${parentId}\0${text}`).digest('hex').slice(0, 32);
}
