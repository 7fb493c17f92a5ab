// Steps that a command needs before it can do what it is for: brought up to date while it is shown, and what failed is said.

import type { Step } from '../../engine/index.ts';
import type { Context } from '../context.ts';
import type { Project } from '../project/project.ts';
import { failureLines } from '../render/failures.ts';
import type { OpenRenderer } from '../render/open-renderer.ts';

/** False when something failed; then it has been said what. The renderer is closed afterwards. */
export async function realiseShown(
  { err, shared }: Context,
  { project, renderer }: { readonly project: Project; readonly renderer: OpenRenderer },
  ids: readonly Step['id'][],
): Promise<boolean> {
  const report = await project.build.realise(ids).finally(() => renderer.close());
  const view = await renderer.close();
  if (view !== undefined && shared.json !== true) err.lines(failureLines(view, err.style));
  return report.ok;
}
