// What a person needs of failed steps: the end of the log, where all of it is, and what to do next. Pure.

import { abbreviate, stepName } from './names.ts';
import { placeWords } from './place-words.ts';
import { plainLine } from './plain-text.ts';
import type { Style } from './style.ts';
import { formatDuration } from './units.ts';
import type { FailedStep, View } from './view-model.ts';

/** Every failure in turn; with several, their names again at the end, where they are seen. */
export function failureLines(view: Pick<View, 'failed' | 'skipped'>, style: Style): string[] {
  const { failed, skipped } = view;
  const blocks = failed.flatMap((failure) => ['', ...failureBlock(failure, style)]);
  const commands = skipped.filter(({ kind }) => kind === 'run').map(stepName);
  const names = failed.map(({ step }) => stepName(step));
  return [
    ...blocks,
    ...(names.length > 1 ? ['', `${style.bad(`${names.length} steps failed:`)} ${names.join(', ')}`] : []),
    ...(commands.length > 0
      ? ['', `${style.warn('not built because of that:')} ${abbreviate(commands, 10)}`]
      : []),
  ];
}

function failureBlock({ step, place, outcome: { failure, durationMs } }: FailedStep, style: Style): string[] {
  const head = `${style.bad('failed')} ${style.bold(stepName(step))} after ${formatDuration(durationMs)}: ${plainLine(failure.message)}`;
  const facts: [label: string, value: string | undefined][] = [
    ['described at', place],
    ['where', failure.remote && placeWords(failure.remote)],
    ['all of the log', failure.logFile],
    ['its folder', failure.keptFolder],
    ['next', failure.hint],
  ];
  return [
    `${head} [${failure.code}]`,
    ...failure.logTail.map((line) => `  ${style.dim('│')} ${shortened(plainLine(line))}`),
    ...facts.flatMap(([label, value]) =>
      value === undefined ? [] : [`  ${style.accent(`${label}:`)} ${plainLine(value)}`],
    ),
  ];
}

/** What of a line of a log is shown at most. A command of a compiler fits; a file written to the log as one line does not. */
const shownCharacters = { start: 1500, end: 500 };

function shortened(line: string): string {
  const { start, end } = shownCharacters;
  const leftOut = line.length - start - end;
  if (leftOut <= 0) return line;
  return `${line.slice(0, start)} …(${leftOut} characters more)… ${line.slice(-end)}`;
}
