// cairn __complete: what can follow the words of an unfinished command line. For the completion scripts; never fails.

import type { Command } from 'commander';
import type { DefineCommand } from '../command.ts';
import { candidates, type Candidate } from '../completion/candidates.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { openProject } from '../project/project.ts';
import { outputWords } from '../project/named-outputs.ts';

export const define: DefineCommand = (command, runs, describe) => {
  const run = async (context: Context, _: unknown, words: readonly string[]): Promise<ExitCode> =>
    complete(context, await describe(), words);
  command.argument('[word...]').action(runs(run));
};

async function complete(context: Context, program: Command, words: readonly string[]): Promise<ExitCode> {
  const found = await candidates(program, words, (argument) => namesFor(context, argument));
  // Names with a target are many: they come once somebody has begun to write one.
  const isPrecise = words.at(-1)?.includes('@') === true;
  const shown = isPrecise ? found : found.filter(({ word }) => !word.includes('@'));
  context.out.lines(shown.map(({ word, description }) => `${word}\t${description}`));
  return exitCodes.ok;
}

// A config that cannot be evaluated is no reason to write errors over a prompt.
async function namesFor(context: Context, argument: string): Promise<readonly Candidate[]> {
  if (!/^(output|a|b)\b/.test(argument)) return [];
  try {
    await using project = await openProject(context);
    return outputWords(project.evaluation);
  } catch {
    return [];
  }
}
