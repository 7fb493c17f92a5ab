// What git is configured to in a repository: the files that it reads, in its order, with what they include
// (git-config(1), "FILES", "Includes", "Conditional includes"). Not read: what one git process alone is told, by -c or
// GIT_CONFIG_COUNT, and includes under `hasconfig:`.

import { realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { UserError, isErrno } from '../../base/errors.ts';
import { readNamedText } from '../../base/named-file.ts';
import { BadConfigLine, parseConfig, type Setting } from './config-text.ts';
import { bytesOf } from './patterns.ts';
import { compileWildcards } from './wildcards.ts';

/** The folders of one repository: its own, and the one that it shares with its other work trees. */
export interface GitFolders {
  readonly own: string;
  readonly common: string;
}

/** Settings by key; the last one counts. */
export type Config = ReadonlyMap<string, string | undefined>;

/** @throws UserError `SOURCE_UNREADABLE` for a file that git would not read either. */
export function readConfig(folders: GitFolders): Config {
  const config = new Map<string, string | undefined>();
  const read = (path: string): void => {
    for (const { key, value } of settingsOf(path, folders, [])) config.set(key, value);
  };
  for (const path of configFiles()) read(path);
  read(join(folders.common, 'config'));
  if (isTrue(config, 'extensions.worktreeconfig')) read(join(folders.own, 'config.worktree'));
  return config;
}

export function isTrue(config: Config, key: string): boolean {
  if (!config.has(key)) return false;
  const value = config.get(key);
  return value === undefined || /^(?:true|yes|on|0*[1-9]\d*)$/i.test(value);
}

/** Where a person's own settings for git are. */
export function personalGitFolder(): string | undefined {
  const { XDG_CONFIG_HOME: config, HOME: home } = process.env;
  if (config !== undefined && config !== '') return join(config, 'git');
  return home === undefined ? undefined : join(home, '.config', 'git');
}

/** A path as it stands in a configuration file, `~` being the person's home. Undefined when nobody knows which it is. */
export function expandPath(path: string, relativeTo: string): string | undefined {
  const home = process.env['HOME'];
  if (path === '~' || path.startsWith('~/'))
    return home === undefined ? undefined : join(home, path.slice(1));
  if (/^~|^%\(prefix\)\//.test(path))
    throw new UserError('SOURCE_UNREADABLE', `git's configuration names ${path}, which only git can find`, {
      hint: 'Write the whole path there: which files are ignored depends on it.',
      fault: 'environment',
    });
  return resolve(relativeTo, path);
}

function configFiles(): string[] {
  const { GIT_CONFIG_NOSYSTEM: noSystem, GIT_CONFIG_SYSTEM: system, GIT_CONFIG_GLOBAL: global } = process.env;
  const { HOME: home } = process.env;
  const own = personalGitFolder();
  const isWithoutSystem = isTrue(new Map([['system', noSystem]]), 'system') && noSystem !== undefined;
  return [
    ...(isWithoutSystem ? [] : [system ?? '/etc/gitconfig']),
    ...(global === undefined
      ? [own && join(own, 'config'), home === undefined ? undefined : join(home, '.gitconfig')]
      : [global]),
  ].filter((path) => path !== undefined && path !== '') as string[];
}

/** As many as git follows. */
const mostIncludes = 10;

function* settingsOf(path: string, folders: GitFolders, from: readonly string[]): Generator<Setting> {
  if (from.length > mostIncludes)
    throw new UserError('SOURCE_UNREADABLE', `git's configuration includes itself: ${path}`, {
      hint: 'Take an include.path away that leads back.',
      fault: 'environment',
    });
  const text = readIfThere(path);
  if (text === undefined) return;
  for (const setting of parse(text, path)) {
    yield setting;
    const included = includedBy(setting, path, folders);
    if (included !== undefined) yield* settingsOf(included, folders, [...from, path]);
  }
}

/** A file's text; undefined where git, too, goes on without it. */
export function readIfThere(path: string): string | undefined {
  try {
    return readNamedText(path);
  } catch (error) {
    if (isErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}

function parse(text: string, path: string): readonly Setting[] {
  try {
    return parseConfig(text);
  } catch (error) {
    if (!(error instanceof BadConfigLine)) throw error;
    throw new UserError('SOURCE_UNREADABLE', `${path}:${error.line} is not a line that git reads`, {
      hint: 'Mend it: git config --list names the place as well.',
      fault: 'environment',
      cause: error,
    });
  }
}

function includedBy({ key, value }: Setting, file: string, folders: GitFolders): string | undefined {
  if (value === undefined) return undefined;
  const condition = /^includeif\.(.*)\.path$/s.exec(key)?.[1];
  const isIncluded = condition === undefined ? key === 'include.path' : holds(condition, file, folders);
  return isIncluded ? expandPath(value, dirname(file)) : undefined;
}

function holds(condition: string, file: string, folders: GitFolders): boolean {
  const [, keyword, pattern] = /^(gitdir|gitdir\/i|onbranch):(.*)$/s.exec(condition) ?? [];
  if (keyword === undefined) return false;
  if (keyword === 'onbranch') return isMatch(withAllBelow(pattern!), branchOf(folders) ?? '');
  const wanted = folderPattern(pattern!, file);
  if (wanted === undefined) return false;
  const fold = (text: string): string => (keyword === 'gitdir' ? text : text.toLowerCase());
  return [realpathSync(folders.own), folders.own].some((path) => isMatch(fold(wanted), fold(path)));
}

function folderPattern(pattern: string, file: string): string | undefined {
  const path = pattern.startsWith('./')
    ? join(realpathSync(dirname(file)), pattern)
    : pattern.startsWith('~')
      ? expandPath(pattern, '/')
      : isAbsolute(pattern)
        ? pattern
        : `**/${pattern}`;
  return path === undefined
    ? undefined
    : withAllBelow(pattern.endsWith('/') ? path.replace(/\/?$/, '/') : path);
}

function withAllBelow(pattern: string): string {
  return pattern.endsWith('/') ? `${pattern}**` : pattern;
}

function isMatch(pattern: string, text: string): boolean {
  return compileWildcards(bytesOf(pattern))(bytesOf(text));
}

function branchOf({ own }: GitFolders): string | undefined {
  return /^ref: *refs\/heads\/(.*?)\s*$/.exec(readIfThere(join(own, 'HEAD')) ?? '')?.[1];
}
