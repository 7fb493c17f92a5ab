// What can follow the words of an unfinished command line. Pure, but for the names it is given a way to ask for.

import type { Argument, Command, Option } from 'commander';

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** Asks for the words an argument of this name can be: outputs, inputs. Undefined when only the shell can tell. */
export type NameSource = (argument: string) => Promise<readonly Candidate[]>;

/** Candidates for the last of `words` (what follows `cairn`); none means that the shell may offer files. */
export async function candidates(
  program: Command,
  words: readonly string[],
  names: NameSource,
): Promise<readonly Candidate[]> {
  const word = words.at(-1) ?? '';
  const { command, operands, awaiting } = readWords(program, words.slice(0, -1));
  const found = await following({ program, command, operands, awaiting, word, names });
  return found.filter((candidate) => candidate.word.startsWith(word));
}

interface Position {
  readonly command: Command;
  /** Arguments of `command` that were given already. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly awaiting: Option | undefined;
}

async function following({
  program,
  command,
  operands,
  awaiting,
  word,
  names,
}: Position & {
  readonly program: Command;
  readonly word: string;
  readonly names: NameSource;
}): Promise<readonly Candidate[]> {
  if (awaiting !== undefined) return choices(awaiting.argChoices);
  if (word.startsWith('-')) return optionsOf(program, command).map(optionCandidate);
  if (command.commands.length > 0) return command.commands.filter(isVisible).map(commandCandidate);
  const argument = argumentAt(command, operands);
  if (argument === undefined) return [];
  return argument.argChoices === undefined ? names(argument.name()) : choices(argument.argChoices);
}

function readWords(program: Command, words: readonly string[]): Position {
  let command = program;
  let operands = 0;
  let awaiting: Option | undefined;
  for (const word of words) {
    if (awaiting !== undefined) awaiting = undefined;
    else if (word.startsWith('-'))
      awaiting = optionsOf(program, command).find((option) => awaits(option, word));
    else {
      const next: Command | undefined = command.commands.find((candidate) => candidate.name() === word);
      if (next === undefined) operands += 1;
      else command = next;
    }
  }
  return { command, operands, awaiting };
}

function optionsOf(program: Command, command: Command): Option[] {
  const own: readonly Option[] = command === program ? [] : command.options;
  const shared: readonly Option[] = program.options;
  return [...own, ...shared].filter((option) => !option.hidden);
}

function awaits(option: Option, word: string): boolean {
  return option.required && (word === option.long || word === option.short);
}

function argumentAt(command: Command, at: number): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return command.registeredArguments[at] ?? (last?.variadic === true ? last : undefined);
}

function optionCandidate(option: Option): Candidate {
  return { word: option.long ?? option.flags, description: option.description };
}

function commandCandidate(command: Command): Candidate {
  return { word: command.name(), description: command.summary() || command.description() };
}

// The parser keeps the names of commands that start so out of its help; they are for scripts.
function isVisible(command: Command): boolean {
  return !command.name().startsWith('__');
}

function choices(words: readonly string[] | undefined): Candidate[] {
  return (words ?? []).map((word) => ({ word, description: '' }));
}
