// Outputs a command needs on disk: brought up to date, then as folders of this machine.

import { chooseSandboxTool, type SandboxTool } from '../../engine/sandbox/index.ts';
import type { Context } from '../context.ts';
import type { Project } from '../project/project.ts';
import type { OpenRenderer } from '../render/open-renderer.ts';
import { recordBuilds } from '../project/roots.ts';
import { realiseShown } from '../reports/realise-shown.ts';
import type { FoundOutput } from '../project/named-outputs.ts';

/**
 * Builds `wanted` and gives a folder for each, and the sandbox's programs if they are asked for. Undefined when something
 * failed; then it has been said what.
 */
export async function builtFolders(
  context: Context,
  { project, renderer }: { readonly project: Project; readonly renderer: OpenRenderer },
  wanted: readonly FoundOutput[],
): Promise<readonly string[] | undefined> {
  const { build, evaluation } = project;
  const { sandbox } = evaluation;
  const ids = [...wanted.map(({ id }) => id), ...(sandbox === undefined ? [] : [sandbox])];
  if (!(await realiseShown(context, { project, renderer }, ids))) return undefined;
  await recordBuilds(project, wanted);
  return Promise.all(wanted.map(({ id, output }) => build.materialise(id, output)));
}

/** The programs that make sandboxes, after a build that brought them. */
export async function sandboxToolOf({ build, evaluation }: Project): Promise<SandboxTool> {
  const { sandbox } = evaluation;
  return chooseSandboxTool(sandbox === undefined ? undefined : await build.materialise(sandbox));
}
