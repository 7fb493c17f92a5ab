// cairn kernel: what people who change kernels do with them by hand. Each of its commands has a file of its own in kernel/.

import type { DefineCommand } from '../command.ts';
import { addHelpNotes } from '../help.ts';
import { defineCompileCommands } from './kernel/compile-commands.ts';
import { defineConfig } from './kernel/config.ts';
import { defineMenu } from './kernel/menu.ts';
import { defineSeries } from './kernel/series.ts';

export const define: DefineCommand = (command, runs, describe) => {
  for (const defineCommand of [defineMenu, defineConfig, defineSeries, defineCompileCommands])
    defineCommand(command, runs, describe);
  command.helpCommand(false);
  addHelpNotes(command, {
    examples: [
      ['cairn kernel menuconfig --out ours.ts', "choose in the kernel's own menu"],
      ['cairn kernel config diff kernel kernel-rt', 'in which options they differ'],
      ['cairn kernel compile-commands --override linux=../linux', 'for clangd'],
      ['cairn kernel series v6.12..HEAD --source ../linux', 'which commit breaks the build'],
    ],
    exitCodes: [0, 1, 2],
  });
};
