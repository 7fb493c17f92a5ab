// From the commands by which a kernel's objects came about to a compilation database, as clangd and others read it
// (clang.llvm.org/docs/JSONCompilationDatabase.html), with the paths of a person's own folders. Pure.

import { isAbsolute } from 'node:path';
import { shellWords } from './shell-words.ts';

/** One entry of the database. */
export interface CompileCommand {
  /** What relative paths are relative to. */
  readonly directory: string;
  readonly file: string;
  readonly arguments: readonly string[];
}

export interface Folders {
  /** Where the step had the sources. */
  readonly source: string;
  /** The person's own sources. */
  readonly ownSource: string;
  /** With the headers that were generated, where the step had its objects. */
  readonly directory: string;
}

/** `text` has a line for each object, as the kernel's makefiles keep it; those of what was not compiled, or of no file of the sources, are left out. */
export function compileCommands(text: string, folders: Folders): readonly CompileCommand[] {
  return text.split('\n').flatMap((line) => entryOf(line, folders) ?? []);
}

// What comes after the source's name is another program's, which checks the object.
const pattern = /^(?:saved)?cmd_\S+\.o := (.* \S+\.[cS])\s*(?:;|$)/;

function entryOf(line: string, { source, ownSource, directory }: Folders): CompileCommand | undefined {
  const [, command] = pattern.exec(line) ?? [];
  if (command === undefined) return undefined;
  const own = (word: string): string => ownPath(word, source, ownSource);
  const words = shellWords(asTyped(command)).map(own);
  const file = words.at(-1)!;
  // What was generated to be compiled, like a device tree that is built in, is in nobody's folder.
  return isAbsolute(file) ? { directory, file, arguments: words } : undefined;
}

/** As a makefile has it, a `$` is two, and a `#` is not written as such. */
function asTyped(command: string): string {
  return command.replaceAll('$(pound)', '#').replaceAll('\\#', '#').replaceAll('$$', '$');
}

// A path is a word, or the end of one behind an option's name, an equals sign or a comma.
function ownPath(word: string, source: string, ownSource: string): string {
  const [, before] = /^(-[A-Za-z]+|[^/]*[=,])?\//.exec(word) ?? [undefined, undefined];
  const [start, rest] = before === undefined ? ['', word] : [before, word.slice(before.length)];
  return rest === source || rest.startsWith(`${source}/`)
    ? `${start}${ownSource}${rest.slice(source.length)}`
    : word;
}
