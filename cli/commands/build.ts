// cairn build: brings targets up to date and says what they are.

import { InvalidArgumentError, Option, type Command } from 'commander';
import type { BuildOptions, BuildReport, DerivationId, Emit, Event } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { openProject, type Project } from '../project/project.ts';
import type { PushFlags, Pushing } from '../project/pushing.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { recordBuilds } from '../project/roots.ts';
import type { FoundOutput } from '../project/named-outputs.ts';

export interface BuildFlags extends PushFlags {
  readonly dryRun?: boolean;
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly offline?: boolean;
  readonly rebuild?: boolean;
  readonly incremental?: boolean;
  readonly clean?: boolean;
  readonly compileCache?: boolean;
  readonly outLink?: string;
  readonly cache?: readonly string[];
  readonly executor?: string;
}

/** Adds what every building may be asked for: how much at once, and what of others. */
export function addBuildOptions(command: Command): Command {
  return command
    .option('-j, --jobs <count>', 'commands at once, and processes of all makes in them together', parseCount)
    .option('-k, --keep-going', 'after a failure, go on with what does not depend on it')
    .option('--offline', 'use nothing but this machine')
    .option('--cache <url...>', 'take what others have built from this cache, too')
    .option(
      '--push [url]',
      'bring what is built to this cache at once; to the configured one when no URL is given',
    )
    .option('--no-push', 'bring nothing to the caches that are configured so')
    .option('--key <name>', 'the key to sign with, if there are several')
    .option('--executor <url>', 'run commands on the workers of this server; "local" for this machine alone');
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument(
      '[output...]',
      'what to build: NAME, or NAME@TARGET for another machine than the usual one; the output "default" when none is named',
    )
    .option('-n, --dry-run', 'only say what would be done, and why');
  addBuildOptions(command)
    .option('--rebuild', 'build the outputs again even if they are up to date')
    .addOption(
      new Option(
        '--incremental',
        'in kept folders, where steps have some, whatever they are made from',
      ).conflicts('clean'),
    )
    .option(
      '--clean',
      'in no kept folder and with no compile cache, and take nothing that was made so until it is proven',
    )
    .option('--no-compile-cache', 'without compile caches, where steps have one')
    .option('-o, --out-link <path>', 'make a symbolic link to the result, which also keeps it in the store')
    .action(runs(build));
  addHelpNotes(command, {
    about:
      'Steps with kept folders (`incremental` in the config) are done in them when they are made from a folder of this\n' +
      'machine, and cleanly otherwise. What was made in them is used on this machine; `cairn check --promote` proves it.\n' +
      'The same is true of what was made with a compile cache (`compileCache`). Their size is CAIRN_COMPILE_CACHE_SIZE, 5G\n' +
      'when it is not set.\n' +
      'Workers are those of the config (`executor`), of CAIRN_EXECUTOR or of --executor: grpcs://HOST:PORT/INSTANCE, and behind\n' +
      'it ?slots=COUNT (commands at once), &jobs=COUNT (what each is told to do at once), &root=chroot, &property=NAME=VALUE and\n' +
      '&shared (here as well, each where it ends first, and all while the server is down). `cairn doctor --executor URL` tries them.\n' +
      '\n' +
      'With --push, or for a cache with "push": true in ~/.config/cairn/caches.json, each result is signed and brought there\n' +
      'as soon as it is made. A cache that cannot be reached fails no build. What is sooner made again than moved stays here,\n' +
      'which is said; `cairn cache push OUTPUT` brings it all the same.',
    examples: [
      ['cairn build', 'build the output "default", or the only one'],
      ['cairn build lsb', 'build the output "lsb"'],
      ['cairn build sed@x86_64-linux bash', 'two of them'],
      ['cairn build lsb --dry-run', 'what would be done, and why'],
      ['cairn build lsb --out-link result', 'and find it in ./result'],
      ['cairn build lsb --push', 'and let the team have it'],
      [
        'cairn build lsb --executor grpcs://build.example/main',
        'on the workers of a Remote Execution server',
      ],
    ],
    exitCodes: [0, 1, 2, 3, 130],
  });
};

/** A whole number of at least one, from the command line. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError('Give a whole number of at least 1.');
}

async function build(context: Context, flags: BuildFlags, targets: readonly string[]): Promise<ExitCode> {
  const startedMs = performance.now();
  const renderer = openRenderer(context);
  const { jobs, offline = false, cache: caches = [] } = flags;
  const settings = {
    ...{ offline, caches },
    ...(jobs !== undefined && { jobs }),
    ...(flags.executor !== undefined && { executor: flags.executor }),
  };
  const listeners: Emit[] = [renderer.emit];
  const emit = (event: Event): void => {
    for (const hear of listeners) hear(event);
  };
  await using project = await openProject(context, { targets, settings, emit });
  const wanted = (targets.length > 0 ? targets : [usualTarget(project)]).map((target) =>
    project.find(target),
  );
  if (flags.dryRun === true) {
    const { showPlan } = await import('../reports/plan-report.ts');
    const ids = idsOf(project, wanted, flags);
    return await showPlan(context, await project.build.plan(ids, buildOptions(flags)));
  }
  const pushing = await pushingOf(context, project, flags, renderer.emit);
  if (pushing !== undefined) listeners.push(pushing.hear);
  const report = await project.build
    .realise(idsOf(project, wanted, flags), buildOptions(flags))
    .catch(async (error: unknown) => {
      await renderer.close();
      throw error;
    });
  await pushing?.done([...report.outputs.keys()]);
  await project.told;
  const view = await renderer.close();
  const made = wanted.filter(({ id }) => report.outputs.has(id));
  await recordBuilds(project, made);
  if (flags.outLink !== undefined) {
    const { writeOutLinks } = await import('../project/out-link.ts');
    await writeOutLinks(project, made, flags.outLink);
  }
  const { showResults } = await import('../reports/build-report.ts');
  showResults(context, { project, wanted, report, view, elapsedMs: performance.now() - startedMs });
  pushing?.tell(report.conflicts);
  return exitCodeOf(report, made, flags);
}

// Loaded late: whoever only asks what would be done does not wait for it.
async function pushingOf(
  context: Context,
  project: Project,
  flags: BuildFlags,
  emit: Emit,
): Promise<Pushing | undefined> {
  const { openPushing } = await import('../project/pushing.ts');
  return openPushing(context, project, { flags, emit });
}

function buildOptions({ rebuild, keepGoing, incremental, clean, compileCache }: BuildFlags): BuildOptions {
  return {
    ...(rebuild !== undefined && { rebuild }),
    ...(keepGoing !== undefined && { keepGoing }),
    ...(incremental === true && { incremental: 'all' }),
    ...(clean === true && { incremental: 'none' }),
    ...(compileCache !== undefined && { compileCache }),
  };
}

// A package's output is often composed around the command that builds it; building that again is what is meant.
function idsOf(project: Project, wanted: readonly FoundOutput[], { rebuild }: BuildFlags): DerivationId[] {
  const ids = wanted.map(({ id }) => id);
  if (rebuild !== true) return ids;
  return [...new Set([...ids, ...wanted.flatMap((target) => project.commandBehind(target)?.id ?? [])])];
}

function exitCodeOf(report: BuildReport, made: readonly FoundOutput[], { keepGoing }: BuildFlags): ExitCode {
  if (report.ok) return exitCodes.ok;
  if (report.cancelled) return exitCodes.interrupted;
  return keepGoing === true && made.length > 0 ? exitCodes.partial : exitCodes.buildFailed;
}

// What is meant when nothing is named: an output of that name, or the only one that there is.
function usualTarget({ evaluation }: Project): string {
  const outputs = [...evaluation.outputs.values(), ...evaluation.broken.values()];
  const names = [...new Set(outputs.map(({ name }) => name))];
  if (names.includes('default')) return 'default';
  if (names.length === 1) return names[0]!;
  if (names.length === 0)
    throw new UserError('USAGE', `there is nothing to build: ${evaluation.configPath} has no outputs`, {
      hint: 'Have its outputs return at least one: outputs: () => ({ default: step }).',
    });
  throw new UserError('USAGE', 'say what to build', {
    hint: `This flake has ${names.slice(0, 20).join(', ')}${names.length > 20 ? ' and more' : ''}. \`cairn list\` describes them.`,
  });
}
