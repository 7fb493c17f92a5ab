// cairn store: the local store itself. Each of its commands has a file of its own in store/.

import type { DefineCommand } from '../command.ts';
import { addHelpNotes } from '../help.ts';
import { defineDu } from './store/du.ts';
import { defineGc } from './store/gc.ts';
import { defineRepair } from './store/repair.ts';
import { defineRoots } from './store/roots.ts';
import { defineVerify } from './store/verify.ts';

export const define: DefineCommand = (command, runs, describe) => {
  for (const defineCommand of [defineGc, defineVerify, defineRepair, defineDu, defineRoots]) {
    defineCommand(command, runs, describe);
  }
  command.helpCommand(false);
  addHelpNotes(command, {
    examples: [
      ['cairn store du', 'how much room it takes'],
      ['cairn store gc --dry-run', 'what could go, and what having it again would cost'],
      ['cairn store verify', 'read everything again and compare it with its digest'],
    ],
    exitCodes: [0, 1, 2, 20],
  });
};
