// cairn diff: two outputs, file by file.

import { compareNodes } from '../../engine/index.ts';
import type { DefineCommand } from '../command.ts';
import { openContents } from '../contents.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { describeDifference, differenceLine } from '../file-difference.ts';
import { addHelpNotes } from '../help.ts';
import { formatCount } from '../render/units.ts';

interface DiffFlags {
  readonly exitCode?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<a[/path]>', 'an output, a digest, or something in one')
    .argument('<b[/path]>', 'what to compare it with')
    .option('--exit-code', 'exit with status 1 when they differ')
    .action(runs(diff));
  addHelpNotes(command, {
    examples: [
      ['cairn diff bash@x86_64-linux bash@aarch64-linux', 'two outputs'],
      ['cairn diff $(cairn path --digest lsb) lsb', 'a tree from elsewhere or earlier, by its digest'],
    ],
  });
};

async function diff(context: Context, flags: DiffFlags, a: string, b: string): Promise<ExitCode> {
  await using contents = await openContents(context, [a, b]);
  const { store } = contents;
  const differences = compareNodes(contents.find(a).node, contents.find(b).node, store.trees);
  const { out, shared } = context;
  for (const difference of differences) {
    const described = await describeDifference(difference, store);
    out.lines([
      shared.json === true ? JSON.stringify({ type: 'difference', ...described }) : differenceLine(described),
    ]);
  }
  if (shared.json !== true)
    context.err.lines([
      differences.length === 0 ? 'identical' : `${formatCount(differences.length, 'path')} differ`,
    ]);
  return flags.exitCode === true && differences.length > 0 ? exitCodes.buildFailed : exitCodes.ok;
}
