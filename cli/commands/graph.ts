// cairn graph: what a target is built from, as a picture.

import { Option } from 'commander';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { formatDot } from '../graph/dot.ts';
import { drawClosure, type Picture } from '../graph/picture.ts';
import { addHelpNotes } from '../help.ts';
import { openProject } from '../project/project.ts';
import { stepFields } from '../render/json.ts';
import { parseCount } from './build.ts';
import type { RecordOf } from '../records/definitions.ts';
import { writeRecords } from '../records/write-records.ts';

interface GraphFlags {
  readonly format: 'dot' | 'json' | 'svg';
  readonly all?: boolean;
  readonly depth?: number;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output>', 'an output')
    .addOption(
      new Option('-f, --format <form>', 'what to write').choices(['dot', 'json', 'svg']).default('dot'),
    )
    .option('-a, --all', 'also downloads, unpacked archives and compositions, not only commands')
    .option('-d, --depth <count>', 'how many arrows to follow from the output', parseCount)
    .action(runs(graph));
  addHelpNotes(command, {
    examples: [
      ['cairn graph lsb -f svg > lsb.svg', 'a picture for a browser'],
      ['cairn graph sed --all --depth 2', 'the near surroundings of sed, in the DOT language'],
    ],
  });
};

async function graph(context: Context, flags: GraphFlags, target: string): Promise<ExitCode> {
  await using project = await openProject(context, { targets: [target] });
  const { id } = project.find(target);
  const { steps } = project.evaluation;
  const picture = drawClosure([id], { steps, all: flags.all === true, depth: flags.depth });
  const { out, shared } = context;
  if (shared.json === true || flags.format === 'json') writeRecords(out, [pictureRecord(picture)]);
  else if (flags.format === 'dot') out.write(formatDot(picture));
  else out.write(await (await import('../graph/svg.ts')).formatSvg(picture));
  return exitCodes.ok;
}

function pictureRecord({ nodes, edges }: Picture): RecordOf<'graph'> {
  return { type: 'graph', nodes: nodes.map(stepFields), edges };
}
