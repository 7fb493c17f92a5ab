// Values that cannot be meant, whatever the option: nothing but blanks, which scripts give when a variable of theirs is not
// set, and URLs where a path is. Either would be made, or looked for, as a folder of that name.

import type { Command } from 'commander';
import { UserError } from '../store/base/errors.ts';

/** What another program is started with, and what is to be completed. */
const argumentsOfOthers = ['argument', 'command', 'word'];

/** Variables that name a folder or file of this machine. */
const pathVariables = ['CAIRN_STORE', 'CAIRN_KEY_FILE'];

/** @throws UserError `USAGE` for the first option, argument or variable of cairn's that has such a value */
export function refuseOddValues(command: Command, env: NodeJS.ProcessEnv): void {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const option of at.options) {
      // Text may be anything.
      if (option.flags.includes('<text>')) continue;
      const value: unknown = at.getOptionValue(option.attributeName());
      if ([value].flat().some(isBlank)) throw blank(`${option.flags} was given`);
      if (/<(folder|file|path)>/.test(option.flags)) refuseUrl(`${option.flags} was given`, value);
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
  for (const name of pathVariables) refuseUrl(`${name} is set to`, env[name]);
}

function isBlank(value: unknown): boolean {
  return typeof value === 'string' && value.trim() === '';
}

function blank(what: string): UserError {
  return new UserError('USAGE', `${what} nothing but blanks`, {
    hint: 'Leave it out, or give a value. In a script, look at the variable that it was to come from.',
  });
}

function refuseUrl(what: string, value: unknown): void {
  const scheme = typeof value === 'string' ? /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1] : undefined;
  if (scheme === undefined) return;
  throw new UserError('USAGE', `${what} a URL (${scheme}://…), and means a path on this machine`, {
    hint: 'Write the path alone. Caches have URLs, and are named with --cache or `caches`.',
  });
}
