// cairn list: what the flake of this project gives.

import type { BrokenOutput } from '../../engine/index.ts';
import type { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { openProject } from '../project/project.ts';
import { plainLine } from '../render/plain-text.ts';
import { tableLines } from '../render/table.ts';
import { writeRecords } from '../records/write-records.ts';

export const define: DefineCommand = (command, runs) => {
  command.action(runs(list));
  addHelpNotes(command, {
    examples: [
      ['cairn list', 'the outputs that `cairn build` can make here'],
      ['cairn list --json', 'the same with their ids, for machines'],
    ],
  });
};

async function list(context: Context): Promise<ExitCode> {
  await using project = await openProject(context);
  const { outputs, broken, flake } = project.evaluation;
  const { out, shared } = context;
  if (shared.json === true) {
    writeRecords(
      out,
      [...outputs.values()].map((output) => ({ type: 'output', ...output })),
    );
    writeRecords(out, [...broken.values()].map(brokenRecord));
    return exitCodes.ok;
  }
  const rows = [
    ...[...outputs.values()].map(({ name, description = '' }) => [name, plainLine(description)]),
    ...[...broken.values()].map(({ name, error }) => [name, `broken: ${plainLine(sentence(error))}`]),
  ];
  out.lines([
    out.style.bold(plainLine(flake.description)),
    ...tableLines(rows),
    out.style.dim(`for ${flake.targets.join(', ')}; a name alone means ${flake.targets[0]}`),
  ]);
  return exitCodes.ok;
}

function brokenRecord({ name, target, description, error }: BrokenOutput) {
  const { code, message, where, hint } = error;
  return { type: 'broken-output', name, target, description, code, message, where, hint } as const;
}

function sentence({ message, where }: UserError): string {
  return where === undefined ? message : `${message} (${where})`;
}
