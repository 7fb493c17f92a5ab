// The part of every command's help that the parser cannot know: examples, and the exit statuses that matter.

import type { Command } from 'commander';
import { exitCodeMeanings, type ExitCode } from './exit-codes.ts';

export interface HelpNotes {
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly exitCodes?: readonly ExitCode[];
  /** A paragraph for what neither the options nor the examples say. */
  readonly about?: string;
}

/** Adds the notes below the help of `command`. */
export function addHelpNotes(command: Command, { examples, exitCodes = [], about }: HelpNotes): Command {
  const width = Math.max(...examples.map(([example]) => example.length));
  const lines = [
    ...(about === undefined ? [] : ['', about]),
    ...['', 'Examples:', ...examples.map(([example, what]) => `  ${example.padEnd(width)}  ${what}`)],
    ...(exitCodes.length === 0 ? [] : ['', 'Exit status:', ...exitCodes.map(exitCodeLine)]),
  ];
  return command.addHelpText('after', lines.join('\n'));
}

function exitCodeLine(code: ExitCode): string {
  return `  ${String(code).padStart(3)}  ${exitCodeMeanings[code]}`;
}
