// Where a target's kernel is compiled, and the headers that were generated for it. What both steps are known by is said here
// and in derivations/kernel/README.md, and nowhere else.

import { stepInputs, stepLabel, type Evaluation, type Step } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Project } from '../project/project.ts';
import { closureOf, commandsOf } from '../project/steps.ts';

/** Paths as both steps see them: sources, and the configuration. */
export const placesOfStep = { source: '/source', config: '/config' } as const;

/** The output with the commands, which is a tree with a file of the same name. */
export const commandsOutput = 'commands';

/**
 * The output with the one kernel of a target as a debugger reads it, when the flake has it: `NAME-debug`, made from the very
 * step that compiles that kernel.
 */
export function debugOutput(
  { evaluation, find }: Pick<Project, 'evaluation' | 'find'>,
  target: string,
): DebugOutput | undefined {
  const [kernel, another] = compileSteps(evaluation, find(target).id);
  if (kernel === undefined || another !== undefined) return undefined;
  const key = stepLabel(kernel.derivation).replace(/(?=@|$)/, '-debug');
  const output = evaluation.outputs.get(key);
  const isOfIt =
    output !== undefined && compileSteps(evaluation, output.id).some(({ id }) => id === kernel.id);
  if (!isOfIt) return undefined;
  return { key, ownSource: localSourceOf(evaluation, kernel) };
}

export interface DebugOutput {
  /** NAME@TARGET */
  readonly key: string;
  /** The folder of this machine that stands for its sources, if one does. */
  readonly ownSource: string | undefined;
}

/** The one step of a target that compiles a kernel. @throws UserError `TARGET_UNKNOWN`, `USAGE` when there are several. */
export function compileStep({ evaluation, find }: Project, target: string): Step {
  const { key, id } = find(target);
  const [found, another] = compileSteps(evaluation, id);
  if (found !== undefined && another === undefined) return found;
  if (found === undefined)
    throw new UserError('TARGET_UNKNOWN', `${key} has no kernel that is compiled here`, {
      hint: 'Name a kernel, or an image with one: cairn list.',
    });
  throw new UserError('USAGE', `${key} has several kernels`, {
    hint: `Name one, such as ${stepLabel(found.derivation)}.`,
  });
}

/** The steps of a target that compile kernels. */
export function compileSteps(evaluation: Pick<Evaluation, 'steps'>, id: Step['id']): readonly Step[] {
  return commandsOf(evaluation, [id]).filter(compiles);
}

function compiles({ derivation }: Step): boolean {
  return (
    derivation.kind === 'run' &&
    derivation.outputs.includes(commandsOutput) &&
    Object.values(placesOfStep).every((path) => path in derivation.inputs)
  );
}

/**
 * The step that generates the headers for a kernel of the same name and configuration.
 * @throws UserError `TARGET_UNKNOWN` when no output of the flake is made with it
 */
export function headersStep(evaluation: Evaluation, kernel: Step): Step {
  const outputs = [...evaluation.outputs.values()].map(({ id }) => id);
  const label = stepLabel(kernel.derivation).replace(/(?=@|$)/, '-prepare-modules');
  const configuration = inputAt(kernel, placesOfStep.config);
  const found = commandsOf(evaluation, outputs).find(
    (step) => stepLabel(step.derivation) === label && inputAt(step, placesOfStep.config) === configuration,
  );
  if (found !== undefined) return found;
  throw new UserError(
    'TARGET_UNKNOWN',
    `no output of the config has the headers that go with ${stepLabel(kernel.derivation)}`,
    {
      hint: "Give it one: 'kernel-dev': kernel.dev.derivation.",
    },
  );
}

/** The folder of this machine that stands for the sources, if one does. */
export function localSourceOf(evaluation: Evaluation, kernel: Step): string | undefined {
  const source = inputAt(kernel, placesOfStep.source);
  if (source === undefined) return undefined;
  const ids = new Set([...closureOf(evaluation, [source])].map(({ id }) => id));
  const locals = evaluation.locals.filter(({ id }) => ids.has(id));
  return locals.length === 1 ? locals[0]!.path : undefined;
}

/** Which step is mounted at a path. */
export function inputAt(step: Step, path: string): Step['id'] | undefined {
  const { derivation } = step;
  if (derivation.kind !== 'run') return undefined;
  const wanted = derivation.inputs[path];
  return [...stepInputs(step)].find(({ input }) => input === wanted)?.id;
}
