// Values of nothing but blanks, which scripts give when a variable of theirs is not set: never meant, and mostly a path or a
// name that is then made or looked for.

import type { Command } from 'commander';
import { UserError } from '../store/base/errors.ts';

/** What another program is started with, and what is to be completed. */
const argumentsOfOthers = ['argument', 'command', 'word'];

/** @throws UserError `USAGE` for the first option, argument or variable of cairn's that is blank */
export function refuseBlankValues(command: Command, env: NodeJS.ProcessEnv): void {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.options) {
      // Text may be anything.
      if (option.flags.includes('<text>')) continue;
      const value: unknown = at.getOptionValue(option.attributeName());
      if ([value].flat().some(isBlank)) throw blank(`${option.flags} was given`);
    }
  }
  for (const [at, argument] of command.registeredArguments.entries()) {
    const value: unknown = command.processedArgs[at];
    if (!argumentsOfOthers.includes(argument.name()) && [value].flat().some(isBlank))
      throw blank(`<${argument.name()}> was given`);
  }
  // One that is empty is as one that is not set.
  for (const [name, value] of Object.entries(env))
    if (name.startsWith('CAIRN_') && value !== '' && isBlank(value)) throw blank(`${name} is set to`);
}

function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}

function blank(what: string): UserError {
  return new UserError('USAGE', `${what} nothing but blanks`, {
    hint: 'Leave it out, or give a value. In a script, look at the variable that it was to come from.',
  });
}
