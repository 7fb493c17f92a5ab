// Whether commands can run in sandboxes here. Brings the sandbox's own program into the store when it is not there.

import {
  probeKernel,
  probeSandbox,
  chooseSandboxTool,
  type SandboxFinding,
  type SandboxTool,
} from '../../engine/sandbox/index.ts';
import type { Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Project } from '../project/project.ts';
import { fail, ok, type Finding } from './finding.ts';

export async function probeSandboxes(project: Project): Promise<Finding[]> {
  try {
    const tool = await sandboxTool(project);
    const findings = await probeSandbox({ tool, folder: await project.store.scratch('doctor') });
    const works = findings.at(-1)?.ok === true;
    return findings.map((finding) => toFinding(finding, works));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // Nothing could be tried: what the kernel says is all there is to know.
    const kernel = probeKernel().map((finding) => toFinding(finding, false));
    return [...kernel, fail('sandbox', error.message, error.hint)];
  }
}

async function sandboxTool(project: Project): Promise<SandboxTool> {
  const { sandbox } = project.evaluation;
  if ((await broughtSandbox(project)) === undefined) return chooseSandboxTool(undefined);
  return chooseSandboxTool(await project.build.materialise(sandbox!));
}

/** The tree with the sandbox's own program; undefined when the flake has none. @throws UserError `SANDBOX_UNAVAILABLE` */
export async function broughtSandbox({ build, evaluation }: Project): Promise<Digest | undefined> {
  const { sandbox } = evaluation;
  if (sandbox === undefined) return undefined;
  const report = await build.realise([sandbox]);
  const node = report.outputs.get(sandbox)?.['out'];
  if (report.ok && node?.kind === 'tree') return node.digest;
  const failed = [...report.outcomes.values()].find((outcome) => outcome.kind === 'failed');
  throw new UserError(
    'SANDBOX_UNAVAILABLE',
    `the sandbox's own program is not in the store and could not be brought there: ${failed?.failure.message ?? 'interrupted'}`,
    { hint: failed?.failure.hint ?? 'Try again.', fault: 'environment' },
  );
}

// What the kernel restricts does not matter when the trial works all the same.
function toFinding({ subject, ok: isGood, message, hint }: SandboxFinding, works: boolean): Finding {
  if (isGood) return ok(subject, message);
  return { subject, state: works ? 'ok' : 'fail', message, hint: works ? undefined : hint };
}
