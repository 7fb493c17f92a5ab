// cairn cache push: signs what this machine has built, and brings it to a cache.

import { openCache, pushersPatience, pushSteps, type PushReport } from '../../../engine/caches/index.ts';
import { cheaperLines, cheaperRecords, conflictLines, conflictRecords } from '../../reports/push-report.ts';
import { stepRef } from '../../../engine/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { cacheSettings, firstUrl } from '../../person/cache-settings.ts';
import { signingKey } from '../../person/key-files.ts';
import { openProject } from '../../project/project.ts';
import { namesIn } from '../../project/named-outputs.ts';
import { stepFields } from '../../render/json.ts';
import { stepName } from '../../render/names.ts';
import { formatBytes, formatCount } from '../../render/units.ts';
import { writeRecords } from '../../records/write-records.ts';

interface PushFlags {
  readonly to?: string;
  readonly key?: string;
}

export const definePush: DefineCommand = (cache, runs) => {
  const command = cache
    .command('push')
    .description('bring there what was built here')
    .argument('<output...>', 'what to push, with the commands that it was made by')
    .option('--to <url>', "the cache; the config's first one when not given")
    .option('--key <name>', 'the key to sign with, if there are several')
    .action(runs(push));
  addHelpNotes(command, {
    about:
      'Builds nothing. What was made in kept folders and is not proven stays here (`cairn check --promote`), and so do\n' +
      'downloads. What stayed with workers is brought here first. What was taken from a cache is handed on with the signatures it came with, and not signed again.',
    examples: [
      ['cairn cache push lsb --to https://cache.example/team', 'with PUT, as WebDAV servers take it'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

async function push(context: Context, flags: PushFlags, targets: readonly string[]): Promise<ExitCode> {
  const { env, signal } = context;
  const key = signingKey(flags.key, env);
  await using project = await openProject(context, { targets, settings: { usesCaches: false } });
  const wanted = targets.map((target) => project.find(target).id);
  const { store, evaluation } = project;
  const settings = cacheSettings(evaluation.flake, [], env);
  const cache = openCache(flags.to ?? firstUrl(settings.caches), { env, patience: pushersPatience });
  const report = await pushSteps([...new Set(wanted)], {
    store,
    steps: evaluation.steps,
    cache,
    key,
    against: { cache, trust: settings.trust },
    bringLeft: (ids) => project.build.bringLeft(ids),
    namesOf: namesIn(evaluation),
    signal,
  });
  tell(context, cache.name, report);
  return report.unproven.length + report.absent.length === 0 ? exitCodes.ok : exitCodes.buildFailed;
}

function tell({ out, err, shared }: Context, name: string, report: PushReport): void {
  const { steps, unproven, absent, cheaper, conflicts, contents, records, sentBytes } = report;
  if (shared.json === true) {
    writeRecords(out, [
      ...unproven.map(
        (step) => ({ type: 'not-pushed', ...stepFields(stepRef(step)), why: 'unproven' }) as const,
      ),
      ...absent.map((step) => ({ type: 'not-pushed', ...stepFields(stepRef(step)), why: 'absent' }) as const),
      ...cheaperRecords(cheaper),
      ...conflictRecords(conflicts),
      { type: 'pushed', cache: name, steps: steps.length, contents, records, sentBytes },
    ]);
    return;
  }
  err.lines([
    ...unproven.map(
      (step) =>
        `not pushed: ${stepName(stepRef(step))} is made of what was built incrementally; \`cairn check --promote\` proves it`,
    ),
    ...absent.map((step) => `not pushed: ${stepName(stepRef(step))} is not built here`),
    ...cheaperLines(cheaper),
    ...conflictLines(conflicts),
  ]);
  const sent = contents + records === 0 ? 'had it all' : `took ${formatBytes(sentBytes)}`;
  out.lines([`${name} has ${formatCount(steps.length, 'step')}, and ${sent}`]);
}
