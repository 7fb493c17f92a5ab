// cairn shell: a shell in exactly the sandbox of a step, or in what a failed one left.

import type { BuildRequest, Step } from '../../engine/index.ts';
import {
  chooseSandboxTool,
  failedSteps,
  openFailedShell,
  openShell,
  type FailedStep,
  type SandboxTool,
} from '../../engine/sandbox/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { openProject, type Project } from '../project/project.ts';
import { failureLines } from '../render/failures.ts';
import { openRenderer, type OpenRenderer } from '../render/open-renderer.ts';
import { findCommand } from '../project/steps.ts';

interface ShellFlags {
  readonly failed?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('[output]', 'an output, or any step that runs a command')
    .argument('[command...]', 'what to run instead of a shell')
    .option('--failed', 'in the folder that the last failure left')
    .action(runs(shell));
  addHelpNotes(command, {
    about: 'Nothing of what is done in the shell is kept, except with --failed.',
    examples: [
      ['cairn shell sed', 'look around where sed is built'],
      ['cairn shell --failed', 'look at what went wrong last'],
      ['cairn shell sed -- make --version', 'run one command there'],
    ],
  });
};

async function shell(
  context: Context,
  flags: ShellFlags,
  target: string | undefined,
  argv: readonly string[],
): Promise<ExitCode> {
  if (target === undefined && flags.failed !== true) {
    throw new UserError('USAGE', 'say whose sandbox to open', {
      hint: 'Name a step, as in `cairn shell sed`, or use --failed for the last one that failed.',
    });
  }
  const renderer = openRenderer(context);
  const targets = target === undefined ? [] : [target];
  await using project = await openProject(context, { targets, emit: renderer.emit });
  await project.told;
  const step = target === undefined ? undefined : findCommand(project.evaluation, target);
  const tool = await prepared(context, project, step, renderer);
  if (tool === undefined) return exitCodes.buildFailed;
  const { signal } = context;
  const options = { store: project.store, tool, signal, ...(argv.length > 0 && { argv }) };
  const status = await context.interruption.holdDuring(async () =>
    flags.failed === true
      ? openFailedShell(lastFailure(project, step), options)
      : openShell(await project.build.requestOf(step!), options),
  );
  return status === 0 ? exitCodes.ok : exitCodes.buildFailed;
}

/** Builds what the shell will see. The sandbox's programs, or undefined when something failed. */
async function prepared(
  context: Context,
  { build, evaluation }: Project,
  step: Step | undefined,
  renderer: OpenRenderer,
): Promise<SandboxTool | undefined> {
  const { sandbox } = evaluation;
  const needed = [...(step?.inputIds ?? []), ...(sandbox === undefined ? [] : [sandbox])];
  const report = await build.realise(needed).finally(() => renderer.close());
  const view = await renderer.close();
  if (view !== undefined) context.err.lines(failureLines(view, context.err.style));
  if (!report.ok) return undefined;
  return chooseSandboxTool(sandbox === undefined ? undefined : await build.materialise(sandbox));
}

// The same name may have failed for several machines; their environments differ.
function lastFailure({ store }: Project, step: Step | undefined): FailedStep {
  const all = failedSteps(store.path);
  const named = step === undefined ? all : all.filter(({ request }) => request.name === step.derivation.name);
  const exact = named.find(({ request }) => step !== undefined && hasEnvironmentOf(step, request));
  const found = exact ?? named[0];
  if (found !== undefined) return found;
  throw new UserError('PATH_NOT_FOUND', 'no folder of a failed step is kept', {
    hint: 'Only the newest few are. Build again, and it is there when the step fails.',
  });
}

function hasEnvironmentOf({ derivation }: Step, { env }: BuildRequest): boolean {
  if (derivation.kind !== 'run') return false;
  const own = Object.entries(derivation.env);
  return own.length === Object.keys(env).length && own.every(([name, value]) => env[name] === value);
}
