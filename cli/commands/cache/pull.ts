// cairn cache pull: takes targets from caches, and builds nothing.

import { stepRef } from '../../../engine/index.ts';
import { UserError } from '../../../store/base/errors.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import type { ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { openProject } from '../../project/project.ts';
import { recordBuilds } from '../../project/roots.ts';
import { openRenderer } from '../../render/open-renderer.ts';
import { stepName } from '../../render/names.ts';
import { exitCodes } from '../../exit-codes.ts';

interface PullFlags {
  readonly cache?: readonly string[];
}

export const definePull: DefineCommand = (cache, runs) => {
  const command = cache
    .command('pull')
    .description('take what others have built, and build nothing')
    .argument('<output...>', 'what to take')
    .option('--cache <url...>', 'ask this one, too, after those of the config')
    .action(runs(pull));
  addHelpNotes(command, {
    examples: [['cairn cache pull rpi', 'all of it, or an error that says what is missing']],
    exitCodes: [0, 1, 2, 130],
  });
};

async function pull(
  context: Context,
  { cache = [] }: PullFlags,
  targets: readonly string[],
): Promise<ExitCode> {
  const startedMs = performance.now();
  const renderer = openRenderer(context);
  await using project = await openProject(context, {
    targets,
    settings: { caches: cache },
    emit: renderer.emit,
  });
  const wanted = targets.map((target) => project.find(target));
  const ids = [...new Set(wanted.map(({ id }) => id))];
  const { toBuild } = await project.build.plan(ids);
  if (toBuild.size > 0) {
    await renderer.close();
    const commands = [...toBuild.values()].filter(({ step }) => step.derivation.kind === 'run');
    throw notThere(commands.map(({ step }) => stepName(stepRef(step))));
  }
  const report = await project.build.realise(ids).finally(() => renderer.close());
  const view = await renderer.close();
  await recordBuilds(
    project,
    wanted.filter(({ id }) => report.outputs.has(id)),
  );
  const { showResults } = await import('../../reports/build-report.ts');
  showResults(context, { project, wanted, report, view, elapsedMs: performance.now() - startedMs });
  return report.ok ? exitCodes.ok : exitCodes.buildFailed;
}

function notThere(names: readonly string[]): UserError {
  const shown = names.slice(0, 10).join(', ');
  const more = names.length > 10 ? ` and ${names.length - 10} more` : '';
  return new UserError('CACHE_FAILED', `not to be had from any cache that is trusted: ${shown}${more}`, {
    hint: '`cairn build` builds what is missing; `cairn cache status` says what is there.',
    fault: 'environment',
  });
}
