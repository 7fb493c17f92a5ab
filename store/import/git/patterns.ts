// The patterns of one ignore file, as git reads and applies them (gitignore(5)). Knows paths relative to the file's
// directory, as bytes; nothing of other files, nor of what lies in an ignored directory.

import { compileWildcards, type Matcher } from './wildcards.ts';

export interface PatternOptions {
  /** Letters of ASCII count as equal in both cases: what `core.ignoreCase` asks for. */
  readonly ignoreCase: boolean;
}

interface Pattern {
  readonly isNegated: boolean;
  readonly isForDirectories: boolean;
  /** It has no slash: it is about names in any directory. */
  readonly isForNames: boolean;
  readonly matches: Matcher;
}

/** A text as bytes, each a character below 256: the form in which git compares. */
export function bytesOf(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString('latin1');
}

export class Patterns {
  readonly #patterns: readonly Pattern[];
  readonly #ignoreCase: boolean;

  /** @param text the file's bytes, see `bytesOf` */
  constructor(text: string, { ignoreCase }: PatternOptions) {
    this.#ignoreCase = ignoreCase;
    this.#patterns = linesOf(text)
      .map((line) => parse(ignoreCase ? lowerCasePattern(line) : line))
      .reverse();
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** True or false when the last pattern that matches says ignored or not; undefined when none does. */
  judge(path: string, isDirectory: boolean): boolean | undefined {
    const tested = this.#ignoreCase ? lowerCase(path) : path;
    const name = tested.slice(tested.lastIndexOf('/') + 1);
    for (const { isNegated, isForDirectories, isForNames, matches } of this.#patterns)
      if ((isDirectory || !isForDirectories) && matches(isForNames ? name : tested)) return !isNegated;
    return undefined;
  }
}

const byteOrderMark = '\xef\xbb\xbf';

function linesOf(text: string): string[] {
  return (text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text)
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => withoutTrailingSpaces(line.endsWith('\r') ? line.slice(0, -1) : line))
    .filter((line) => line !== '');
}

// A space behind a backslash stays.
function withoutTrailingSpaces(line: string): string {
  let end = 0;
  for (let at = 0; at < line.length; at++) {
    const isEscaped = line[at] === '\\';
    if (isEscaped) at++;
    if (isEscaped || line[at] !== ' ') end = at + 1;
  }
  return line.slice(0, end);
}

function parse(line: string): Pattern {
  const isNegated = line.startsWith('!');
  const isForDirectories = line.endsWith('/');
  const text = line.slice(isNegated ? 1 : 0, isForDirectories ? -1 : undefined);
  const isForNames = !text.includes('/');
  const matches = matcherOf(text.startsWith('/') ? text.slice(1) : text, isForNames);
  return { isNegated, isForDirectories, isForNames, matches };
}

// Plain text and `*` with plain text are most of what is written, and quick. Git, too, matches plain text before the first
// wildcard by itself, and the rest as a pattern of its own: that decides what `a**/b` means.
function matcherOf(text: string, isForNames: boolean): Matcher {
  const plain = text.search(/[*?[\\]/);
  if (plain === -1) return (tested) => tested === text;
  const end = text.slice(1);
  if (isForNames && text.startsWith('*') && !/[*?[\\]/.test(end)) return (tested) => tested.endsWith(end);
  if (isForNames) return compileWildcards(text);
  const [start, matches] = [text.slice(0, plain), compileWildcards(text.slice(plain))];
  return (tested) => tested.startsWith(start) && matches(tested.slice(start.length));
}

function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function lowerCasePattern(line: string): string {
  return lowerCase(line).replaceAll('[:upper:]', '[:lower:]');
}
