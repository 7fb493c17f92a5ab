// cairn watch: brings targets up to date, again and again, as what they are made from changes.

import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { collect, parseMemory, parsePort } from '../images/machine-options.ts';
import type { WatchFlags } from '../watch/watch-flags.ts';
import { addBuildOptions, parseCount } from './build.ts';

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output...>', 'what to build, and to build again: NAME, or NAME@TARGET')
    .option(
      '--then <command>',
      'run this by the shell after each success; it is ended when a newer one comes',
    )
    .option('--run', 'start the image after each success, with its console on this terminal')
    .option('--direct', 'with --run: hand the kernel over, without firmware and before the disk is made')
    .option('--append <text>', "with --direct: add to the kernel's command line", collect)
    .option('--ssh-port <port>', 'with --run: a port that leads to its ssh server; 0: any', parsePort)
    .option('--memory <size>', 'with --run: its memory, such as 512M or 2G', parseMemory)
    .option('--processors <count>', 'with --run: how many processors it has', parseCount)
    .option('--kvm', "with --run: run on this machine's processor instead of emulating one")
    .option('--promote', 'prove what was made incrementally by clean builds, until something changes again');
  addBuildOptions(command)
    .option('-o, --out-link <path>', 'make a symbolic link to the newest result')
    .action(runs(watchTargets));
  addHelpNotes(command, {
    about:
      'Watched are the config, what it imports, the lock, and local folders but for what git ignores there. A build that\n' +
      'is stale is given up; what it has finished is not done again. A mistake in the config is told, and waited out.\n' +
      '\n' +
      'Caches and workers are those of `cairn build`. What is pushed goes there as it is made, what is left then behind the\n' +
      'command of --then; a newer build ends that. A cache that was given up is asked again by a build a minute later.\n' +
      '\n' +
      'The command of --then has no terminal of its own, and is ended (SIGTERM, after 5 s SIGKILL) when a newer result is\n' +
      'there. So is the machine of --run, unless the result is the same; Ctrl-A x ends it, and then Ctrl-C the watch. Both\n' +
      'start again when --promote finds that a clean build gives something else, which then takes the place of the result.',
    examples: [
      ['cairn watch zlib', 'build it, and again when something has changed'],
      ["cairn watch app -o result --then './try.sh result'", 'and try each result'],
      ['cairn watch tiny --run --direct', 'from a changed line to a shell on the console'],
      ['cairn watch app --executor local', 'on this machine alone, whatever the config says'],
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
  requireSense(context, flags, targets);
  const { keepWatching } = await import('../watch/keep-watching.ts');
  await keepWatching(context, flags, targets);
  // Only a signal ends it without an error.
  return exitCodes.interrupted;
}

/** @throws UserError `USAGE` for options that do not go together. */
function requireSense({ shared }: Context, flags: WatchFlags, targets: readonly string[]): void {
  const { run, direct, append, memory, processors, kvm, sshPort } = flags;
  const ofMachine = { direct, append, memory, processors, kvm, 'ssh-port': sshPort };
  const [option] = Object.entries(ofMachine).find(([, value]) => value !== undefined) ?? [];
  if (option !== undefined && run !== true)
    throw new UserError('USAGE', `--${option} means nothing without --run`, {
      hint: 'Add --run, or leave it out.',
    });
  if (append !== undefined && direct !== true)
    throw new UserError('USAGE', '--append means nothing without --direct', {
      hint: 'The firmware starts the kernel with the words that are built into it: say --direct, or leave it out.',
    });
  if (run !== true) return;
  if (targets.length !== 1)
    throw new UserError('USAGE', '--run starts one image', { hint: 'Name one output.' });
  if (shared.json === true)
    throw new UserError('USAGE', "--run has the machine's console on standard output, and --json records", {
      hint: 'Leave one of them out; `--then` can start a machine of its own.',
    });
}
