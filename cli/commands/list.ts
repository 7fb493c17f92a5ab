// cairn list: what the flake of this project gives.

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
  const { outputs, flake } = project.evaluation;
  const { out, shared } = context;
  if (shared.json === true) {
    writeRecords(
      out,
      [...outputs.values()].map((output) => ({ type: 'output', ...output })),
    );
    return exitCodes.ok;
  }
  const rows = [...outputs.values()].map(({ name, description = '' }) => [name, plainLine(description)]);
  out.lines([
    out.style.bold(plainLine(flake.description)),
    ...tableLines(rows),
    out.style.dim(`for ${flake.targets.join(', ')}; a name alone means ${flake.targets[0]}`),
  ]);
  return exitCodes.ok;
}
