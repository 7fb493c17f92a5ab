// The command line as a whole: the options that commands share, and the way from words to a command.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { UserError } from '../store/base/errors.ts';
import { packageRoot } from '../store/base/package-root.ts';
import { commandGroups, hiddenCommand, type CommandEntry } from './command-table.ts';
import { refuseOddValues } from './given-values.ts';
import type { RunCommand, Runs } from './command.ts';
import type { Context, SharedFlags } from './context.ts';
import { exitCodeMeanings, exitCodes, type ExitCode } from './exit-codes.ts';

/** Parses the words of a command line and runs the command they name. @throws UserError `USAGE`. */
export async function runProgram(
  words: readonly string[],
  surroundings: Omit<Context, 'shared'>,
): Promise<ExitCode> {
  let result: ExitCode = exitCodes.ok;
  const runs: Runs =
    (run) =>
    async (...received) => {
      const command = received.at(-1) as Command;
      const flags: SharedFlags = command.optsWithGlobals();
      const run_ = run as unknown as RunCommand<readonly unknown[], unknown>;
      result = await run_({ ...surroundings, shared: flags }, flags, ...received.slice(0, -2));
    };
  const program = makeProgram(surroundings, async (entry, command) =>
    (await entry.load()).define(command, runs, () => describeProgram(surroundings)),
  ).hook('preAction', (_, command) => refuseOddValues(command, surroundings.env));
  try {
    await program.parseAsync(wordsToParse(words), { from: 'user' });
    return result;
  } catch (error) {
    if (error instanceof CommanderError) return endOfParsing(error, words);
    throw error;
  }
}

/** The whole program with every command defined, for completion. Its actions do nothing. */
async function describeProgram(surroundings: Omit<Context, 'shared'>): Promise<Command> {
  const program = makeProgram(surroundings, () => Promise.resolve());
  const noAction: Runs = () => () => Promise.resolve();
  for (const entry of commandGroups.flatMap(({ commands }) => commands)) {
    const command = program.commands.find((candidate) => candidate.name() === entry.name)!;
    (await entry.load()).define(command, noAction, () => Promise.resolve(program));
  }
  return program;
}

function makeProgram(
  { out, err }: Pick<Context, 'out' | 'err'>,
  define: (entry: CommandEntry, command: Command) => Promise<void>,
): Command {
  const program = new Command('cairn')
    .description(
      'Builds a custom Linux system, and anything else, from pinned sources: the same bits every time.',
    )
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'how to use it')
    .option('--config <file>', 'the config, instead of flake-like.config.ts here or above')
    .option('--store <folder>', 'the store, instead of CAIRN_STORE or ~/.local/share/cairn')
    .option('--json', 'one JSON object a line, for machines')
    .option('--override <input=folder>', 'build from a folder of this machine in place of an input', append)
    .option('--no-eval-cache', 'evaluate the config even if nothing has changed')
    .exitOverride()
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      outputError: () => undefined,
    })
    .addHelpText('after', programNotes());
  const entries = new Map<string, CommandEntry>();
  for (const { heading, commands } of commandGroups) {
    for (const entry of commands) {
      entries.set(entry.name, entry);
      program.command(entry.name).summary(entry.summary).description(entry.summary).helpGroup(heading);
    }
  }
  const help = new Command('help').argument('[command]').description('how to use a command');
  program.addHelpCommand(help.helpGroup(commandGroups.at(-1)!.heading));
  entries.set(hiddenCommand.name, hiddenCommand);
  program.command(hiddenCommand.name, { hidden: true });
  return program.hook('preSubcommand', (_, command) => define(entries.get(command.name())!, command));
}

// An option that may be given more than once.
function append(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function programNotes(): string {
  const codes = Object.entries(exitCodeMeanings).map(
    ([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`,
  );
  return [
    '',
    'Examples:',
    '  cairn build lsb              build the output "lsb" of this project',
    '  cairn build lsb --dry-run    what that would do, and why',
    '  cairn ls lsb/usr/bin         look into it',
    '',
    'Exit status:',
    ...codes,
  ].join('\n');
}

// The parser shows help for `help build` without defining what is loaded late; for `build --help` it does. Asked for help
// about what is no command, it would show its own and be content: alone, the word is told as what it is.
function wordsToParse(words: readonly string[]): readonly string[] {
  const [command, ...rest] = words[0] === 'help' ? [...words.slice(1), '--help'] : words;
  if (command === undefined) return [];
  if (command === 'exec' && !rest.includes('--')) refuseOwnVersion(rest);
  const isCommand = command.startsWith('-') || commandNames().has(command);
  return isCommand ? [command, ...rest] : [command];
}

// It is cairn's own option wherever it stands, and whoever asks a program for its version would take cairn's for that.
function refuseOwnVersion(rest: readonly string[]): void {
  const option = rest.find((word) => word === '--version' || word === '-V');
  if (option === undefined) return;
  throw new UserError('USAGE', `${option} would be asked of cairn, and not of the program`, {
    hint: 'Write -- in front of the program: cairn exec OUTPUT -- PROGRAM …',
  });
}

function commandNames(): ReadonlySet<string> {
  const named = commandGroups.flatMap(({ commands }) => commands.map(({ name }) => name));
  return new Set([...named, hiddenCommand.name]);
}

// Its errors end in lines of their own with a suggestion, where it has one.
async function endOfParsing(error: CommanderError, words: readonly string[]): Promise<ExitCode> {
  if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') return exitCodes.ok;
  if (error.code === 'commander.help') return exitCodes.usage;
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const command = words.find((word) => commandNames().has(word));
  const hint =
    suggestion?.replace(/^\((.*)\)$/, '$1') ??
    (await meantChoice(message)) ??
    (command === undefined
      ? 'See `cairn --help`: it lists the commands.'
      : `See \`cairn ${command} --help\`.`);
  throw new UserError('USAGE', message, { hint });
}

async function meantChoice(message: string): Promise<string | undefined> {
  const [, given, choices] = / argument '(.*)' is invalid\. Allowed choices are (.*)\.$/.exec(message) ?? [];
  if (given === undefined || choices === undefined) return undefined;
  const { didYouMean } = await import('../engine/index.ts');
  return didYouMean(given, choices.split(', ')).trimEnd() || undefined;
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}
