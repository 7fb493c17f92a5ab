// Where a target's kernel is configured: the step that makes a `.config` of the options that are asked for. What it is known by
// is said here and in derivations/kernel/README.md, and nowhere else. Knows nothing of what is asked for.

import { stepLabel, type Step } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Project } from '../project/project.ts';
import { commandsOf } from '../project/steps.ts';

/** Paths as that step sees them: the kernel's rules (Kconfig and makefiles), and the options in the forms of check-options. */
export const placesOfStep = { rules: '/source', asked: '/asked' } as const;

/** The file in what it gives. */
const file = 'config';

/** The one step of a target that configures a kernel. @throws UserError `TARGET_UNKNOWN`, `USAGE` when there are several. */
export function configurationStep({ evaluation, find }: Project, target: string): Step {
  const { key, id } = find(target);
  const found = commandsOf(evaluation, [id]).filter(configures);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const names = found.map(({ derivation }) => stepLabel(derivation).replace('-configure', '-config'));
    throw new UserError('USAGE', `${key} has ${found.length} kernels`, {
      hint: `Name one: ${names.join(', ')}.`,
    });
  }
  throw new UserError('TARGET_UNKNOWN', `${key} has no kernel that is configured here`, {
    hint: 'Name a kernel, its configuration, or an image with one: cairn list.',
  });
}

function configures({ derivation }: Step): boolean {
  return (
    derivation.kind === 'run' &&
    derivation.name.endsWith('-configure') &&
    Object.values(placesOfStep).every((path) => path in derivation.inputs)
  );
}

/** The `.config` that the step made, as text. To be called when it is built. */
export async function configurationOf({ build, store }: Project, { id }: Step): Promise<string> {
  const outputs = Object.values(build.outputsOf(id) ?? {});
  const nodes = outputs.flatMap((output) => store.trees.lookup(output, file) ?? []);
  const node = nodes.find(({ kind }) => kind === 'blob');
  if (node?.kind !== 'blob') throw new Error('a step that configures a kernel gave no configuration');
  return build.whole([id], async () => new TextDecoder().decode(await store.blobs.read(node.digest)));
}
