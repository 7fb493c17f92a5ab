// cairn key: the keys that what this machine builds is signed with.

import type { DefineCommand } from '../command.ts';
import { addHelpNotes } from '../help.ts';
import { defineGenerate } from './key/generate.ts';

export const define: DefineCommand = (command, runs, describe) => {
  defineGenerate(command, runs, describe);
  command.helpCommand(false);
  addHelpNotes(command, {
    examples: [['cairn key generate laptop', 'a key of this name; its public part is printed']],
  });
};
