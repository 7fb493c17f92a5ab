// cairn cache status: what would be taken from caches, what would be built, and how many bytes would come.

import { stepRef, type PlannedBuild, type Step } from '../../../engine/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { openProject } from '../../project/project.ts';
import { stepFields } from '../../render/json.ts';
import { stepName } from '../../render/names.ts';
import { openRenderer } from '../../render/open-renderer.ts';
import { formatBytes, formatCount } from '../../render/units.ts';
import { writeRecords } from '../../records/write-records.ts';

interface StatusFlags {
  readonly cache?: readonly string[];
}

export const defineStatus: DefineCommand = (cache, runs) => {
  const command = cache
    .command('status')
    .description('what would be taken, what would be built')
    .argument('<output...>', 'what is wanted')
    .option('--cache <url...>', 'ask this one, too, after those of the config')
    .action(runs(status));
  addHelpNotes(command, {
    examples: [['cairn cache status rpi', 'before starting']],
    exitCodes: [0, 1, 2],
  });
};

async function status(
  context: Context,
  { cache = [] }: StatusFlags,
  targets: readonly string[],
): Promise<ExitCode> {
  const renderer = openRenderer(context);
  await using project = await openProject(context, {
    targets,
    settings: { caches: cache },
    emit: renderer.emit,
  });
  const plan = await project.build.plan([...new Set(targets.map((target) => project.find(target).id))]);
  const bytes = await project.build.bytesToBring(plan);
  await renderer.close();
  const taken = [...plan.upToDate.values()].flatMap(({ step, presence }) =>
    presence === 'here' ? [] : [step],
  );
  const built = [...plan.toBuild.values()].map(({ step }: PlannedBuild) => step);
  const { out, shared } = context;
  if (shared.json === true) {
    writeRecords(out, [
      ...taken.map((step) => ({ type: 'cache-status', ...fieldsOf(step), state: 'taken' }) as const),
      ...built.map((step) => ({ type: 'cache-status', ...fieldsOf(step), state: 'built' }) as const),
      { type: 'cache-summary', taken: taken.length, built: built.length, takenBytes: bytes },
    ]);
    return exitCodes.ok;
  }
  const commands = built.filter(({ derivation }) => derivation.kind === 'run');
  const size = bytes === undefined ? '' : `, ${formatBytes(bytes)} before compression`;
  out.lines([
    ...taken.map((step) => `take  ${stepName(stepRef(step))}`),
    ...commands.map((step) => `build ${stepName(stepRef(step))}`),
    `${formatCount(taken.length, 'step')} to take${size}; ${formatCount(commands.length, 'command')} to run`,
  ]);
  return exitCodes.ok;
}

function fieldsOf(step: Step): ReturnType<typeof stepFields> {
  return stepFields(stepRef(step));
}
