// cairn completion: the script that makes a shell complete cairn's command lines.

import { Argument } from 'commander';
import type { DefineCommand } from '../command.ts';
import { completionScripts, shells, type Shell } from '../completion/scripts.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';

export const define: DefineCommand = (command, runs) => {
  command
    .addArgument(new Argument('<shell>', 'which shell the script is for').choices(shells))
    .action(runs(completion));
  addHelpNotes(command, {
    examples: [
      ['source <(cairn completion bash)', 'in ~/.bashrc'],
      ['source <(cairn completion zsh)', 'in ~/.zshrc, after compinit'],
      ['cairn completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
  });
};

function completion({ out }: Context, _: unknown, shell: Shell): Promise<ExitCode> {
  out.write(completionScripts[shell]);
  return Promise.resolve(exitCodes.ok);
}
