// Steps below the flake's outputs: the closure of some, and the command that a name stands for. Pure.

import { didYouMean, stepLabel, type Evaluation, type Step } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import { wantedOutputIfAny, type FoundOutput } from './named-outputs.ts';

/** Everything `ids` need, themselves first, each step once. */
export function* closureOf(
  evaluation: Pick<Evaluation, 'steps'>,
  ids: Iterable<Step['id']>,
): Generator<Step> {
  const pending = [...ids];
  const seen = new Set<Step['id']>();
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const step = evaluation.steps(id);
    yield step;
    pending.push(...step.inputIds);
  }
}

/** The steps of a closure that run a command in the sandbox. */
export function commandsOf(evaluation: Pick<Evaluation, 'steps'>, ids: Iterable<Step['id']>): Step[] {
  return [...closureOf(evaluation, ids)].filter(({ derivation }) => derivation.kind === 'run');
}

/** The command that makes an output, or the one of the same name that a composed output is made from. */
export function commandOf(evaluation: Pick<Evaluation, 'steps'>, { id, key }: FoundOutput): Step | undefined {
  const step = evaluation.steps(id);
  if (step.derivation.kind === 'run') return step;
  return commandsOf(evaluation, [id]).find(({ derivation }) => stepLabel(derivation) === key);
}

/**
 * The step with a log and a sandbox that `text` stands for: an output's command, else any command of this flake by that
 * name, such as `sed-check`.
 * @throws UserError `TARGET_UNKNOWN` when there is none.
 */
export function findCommand(evaluation: Evaluation, text: string): Step {
  const output = wantedOutputIfAny(evaluation, text);
  const behind = output && commandOf(evaluation, output);
  if (behind !== undefined) return behind;
  const all = commandsOf(
    evaluation,
    [...evaluation.outputs.values()].map(({ id }) => id),
  );
  const label = text.includes('@') ? text : `${text}@${evaluation.flake.targets[0]}`;
  const found = all.find(({ derivation }) => stepLabel(derivation) === label);
  if (found !== undefined) return found;
  const labels = new Set(all.map(({ derivation }) => stepLabel(derivation)));
  throw new UserError('TARGET_UNKNOWN', `no step of this flake that runs a command is called "${text}"`, {
    hint: `${didYouMean(label, labels)}\`cairn graph OUTPUT\` shows the steps of an output.`,
  });
}
