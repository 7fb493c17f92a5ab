// cairn image: what an image is made of. Each of its commands has a file of its own in image/.

import type { DefineCommand } from '../command.ts';
import { addHelpNotes } from '../help.ts';
import { defineSize } from './image/size.ts';

export const define: DefineCommand = (command, runs, describe) => {
  defineSize(command, runs, describe);
  command.helpCommand(false);
  addHelpNotes(command, {
    examples: [['cairn image size rpi', 'what takes the room']],
    exitCodes: [0, 1, 2],
  });
};
