// cairn check: builds every step of a target a second time under other conditions, and compares.

import { hostname } from 'node:os';
import type { CacheSettings, CheckResult } from '../../engine/index.ts';
import type { SigningKey } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { showCheckResult } from '../reports/check-result.ts';
import { addHelpNotes } from '../help.ts';
import { cacheSettings, firstUrl } from '../person/cache-settings.ts';
import { signingKey } from '../person/key-files.ts';
import { openProject, type Project } from '../project/project.ts';
import { failureLines } from '../render/failures.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { formatCount } from '../render/units.ts';
import { commandsOf } from '../project/steps.ts';
import { parseCount } from './build.ts';

interface CheckFlags {
  readonly jobs?: number;
  readonly only?: boolean;
  readonly promote?: boolean;
  readonly offline?: boolean;
  /** True, or the cache where the claims go. */
  readonly sign?: boolean | string;
  readonly key?: string;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output...>', 'what to check, with everything it is built from')
    .option('--only', "only the outputs' own commands, not those of what they need")
    .option('--promote', 'only build cleanly what was made incrementally, and compare')
    .option(
      '--sign [url]',
      'of what came out the same, bring an own claim to this cache; to the configured one when no URL is given',
    )
    .option('--key <name>', 'the key to sign with, if there are several')
    .option('--offline', 'use nothing but this machine')
    .option('-j, --jobs <count>', 'commands at once', parseCount)
    .action(runs(check));
  addHelpNotes(command, {
    about:
      'The second time has another build folder, user, umask, number of jobs and processors, and order of folder entries,\n' +
      'and begins in another second. It does not have another date: a step that writes down the day is found the day after.\n' +
      'What was made in kept folders is built cleanly first: only that is compared. With --promote, nothing else is done.\n' +
      'What a clean build does not give as well is forgotten, and its kept folder is thrown away.\n' +
      'What is compared may be of a cache, with --sign as well: every command is run here in any case.',
    examples: [
      ['cairn check lsb', 'prove that lsb is reproducible'],
      ['cairn check --only sed', 'sed alone'],
      ['cairn check lsb --sign', 'vouch for what others have built, after building it'],
      ['cairn check --promote linux', 'prove what was built in kept folders'],
    ],
    exitCodes: [0, 1, 2, 4, 130],
  });
};

async function check(context: Context, flags: CheckFlags, targets: readonly string[]): Promise<ExitCode> {
  const renderer = openRenderer(context);
  const { jobs, offline = false } = flags;
  // Whoever checks takes no worker's word.
  const settings = { offline, runsHere: true, ...(jobs !== undefined && { jobs }) };
  await using project = await openProject(context, { targets, settings, emit: renderer.emit });
  const signing = flags.sign === undefined ? undefined : signingOf(context, project, flags);
  await project.told;
  const results = await checkTargets(project, targets, flags).finally(() => renderer.close());
  const view = await renderer.close();
  if (view !== undefined && context.shared.json !== true)
    context.err.lines(failureLines(view, context.err.style));
  if (results === undefined) return exitCodes.buildFailed;
  const { promote } = flags;
  for (const result of results) await showCheckResult(context, result, { store: project.store, promote });
  if (context.shared.json !== true) context.out.lines([summary(results, flags)]);
  if (signing !== undefined) await signIdentical(context, project, { signing, results });
  return exitCodeOf(results);
}

/** Undefined when the targets could not even be built once. */
async function checkTargets(
  project: Project,
  targets: readonly string[],
  { only, promote }: CheckFlags,
): Promise<readonly CheckResult[] | undefined> {
  const wanted = targets.map((target) => project.find(target));
  const ids = wanted.map(({ id }) => id);
  const steps =
    only === true
      ? wanted.flatMap((target) => project.commandBehind(target) ?? [])
      : commandsOf(project.evaluation, ids);
  // What was taken from a cache came without what it was made from.
  const all = [...new Set([...ids, ...steps.flatMap(({ id, inputIds }) => [id, ...inputIds])])];
  if (promote === true) {
    const { ok } = await project.build.realise(ids);
    return ok ? project.build.promote(ids) : undefined;
  }
  const report = await project.build.realise(all, { incremental: 'none' });
  return report.ok ? project.build.check(steps) : undefined;
}

interface Signing {
  readonly url: string;
  readonly key: SigningKey;
  readonly trust: CacheSettings['trust'];
}

// Known to be right before hours of work.
function signingOf({ env }: Context, { evaluation }: Project, { sign, key }: CheckFlags): Signing {
  const { trust, caches } = cacheSettings(evaluation.flake, [], env);
  const url = typeof sign === 'string' ? sign : firstUrl(caches);
  return { url, key: signingKey(key, env), trust };
}

async function signIdentical(
  context: Context,
  { store, build, evaluation: { steps } }: Project,
  { signing, results }: { readonly signing: Signing; readonly results: readonly CheckResult[] },
): Promise<void> {
  const { env, signal } = context;
  const [{ openCache, ownIdentical, pushersPatience, pushSteps }, { tellPushed }] = await Promise.all([
    import('../../engine/caches/index.ts'),
    import('../reports/push-report.ts'),
  ]);
  await ownIdentical(results, store, hostname());
  const same = results.flatMap((result) => (result.kind === 'identical' ? [result.step.id] : []));
  const { url, key, trust } = signing;
  const cache = openCache(url, { env, patience: pushersPatience });
  const only = new Set(same);
  const report = await pushSteps(same, {
    ...{ store, steps, cache, key, signal, only },
    against: { cache, trust },
    bringLeft: (ids) => build.bringLeft(ids),
  });
  tellPushed(context, { cache: cache.name, report: { ...report, steps: report.steps.length }, told: [] });
}

function summary(results: readonly CheckResult[], { promote }: CheckFlags): string {
  const count = (kind: CheckResult['kind']): number =>
    results.filter((result) => result.kind === kind).length;
  if (promote === true && results.length === 0) return 'nothing to promote: all of it is proven';
  const facts = [
    `${formatCount(results.length, 'step')} built ${promote === true ? 'cleanly' : 'again'}: ${count('identical')} identical`,
  ];
  if (count('different') > 0) facts.push(`${count('different')} different`);
  if (count('failed') > 0) facts.push(`${count('failed')} failed`);
  return facts.join(', ');
}

// A step that fails under other conditions depends on them just as much.
function exitCodeOf(results: readonly CheckResult[]): ExitCode {
  return results.every(({ kind }) => kind === 'identical') ? exitCodes.ok : exitCodes.notReproducible;
}
