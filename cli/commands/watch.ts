// cairn watch: brings targets up to date, again and again, as what they are made from changes.

import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { parseCount } from './build.ts';

export interface WatchFlags {
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly offline?: boolean;
  readonly outLink?: string;
  readonly then?: string;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<target...>', 'what to build, and to build again: NAME, or NAME@TARGET')
    .option(
      '--then <command>',
      'run this by the shell after each success; it is ended when a newer one comes',
    )
    .option('-j, --jobs <count>', 'commands at once, and processes of all makes in them together', parseCount)
    .option('-k, --keep-going', 'after a failure, go on with what does not depend on it')
    .option('--offline', 'use nothing but this machine')
    .option('-o, --out-link <path>', 'make a symbolic link to the newest result')
    .action(runs(watchTargets));
  addHelpNotes(command, {
    about:
      'Watched are the config, what it imports, the lock, and local folders but for what git ignores there. A build that\n' +
      'is stale is given up; what it has finished is not done again. A mistake in the config is told, and waited out.',
    examples: [
      ['cairn watch zlib', 'build it, and again when something has changed'],
      ["cairn watch app -o result --then './try.sh result'", 'and try each result'],
      ['cairn watch app --json', 'one JSON object a line, for editors'],
    ],
    exitCodes: [1, 2, 130],
  });
};

async function watchTargets(
  context: Context,
  flags: WatchFlags,
  targets: readonly string[],
): Promise<ExitCode> {
  const { keepWatching } = await import('../watch/keep-watching.ts');
  await keepWatching(context, flags, targets);
  // Only a signal ends it without an error.
  return exitCodes.interrupted;
}
