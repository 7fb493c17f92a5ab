// What a command's file gives: how it is written on the command line, and what it does. Types only.

import type { Command } from 'commander';
import type { Context } from './context.ts';
import type { ExitCode } from './exit-codes.ts';

/** Does what a command is for, given its options and its arguments as the command line's parser made them. */
export type RunCommand<Arguments extends readonly unknown[], Flags> = (
  context: Context,
  flags: Flags,
  ...args: Arguments
) => Promise<ExitCode>;

/** Turns what a command does into the action of a parser's command. */
export type Runs = <Arguments extends readonly unknown[], Flags>(
  run: RunCommand<Arguments, Flags>,
) => (...received: unknown[]) => Promise<void>;

/**
 * Adds arguments, options, help and an action to a command of the parser. `describe` gives the whole program with every
 * command defined.
 */
export type DefineCommand = (command: Command, runs: Runs, describe: () => Promise<Command>) => void;
