// A second evaluation to check the first by: what a config gives must not differ from one time to the next. Finds what
// the realm's guards cannot see.

import { UserError } from '../../store/base/errors.ts';
import { evaluate } from './evaluate.ts';
import type { EvaluateOptions } from './evaluate-options.ts';
import type { Evaluation } from './evaluation.ts';

/**
 * Evaluates afresh and compares with the kept evaluation, or with another fresh one when none is kept that holds.
 * @throws UserError `CONFIG_IMPURE` naming the outputs that differ; and those of `evaluate`.
 */
export async function checkEvaluation(options: EvaluateOptions): Promise<Evaluation> {
  const first = await evaluate(options);
  const second = await evaluate({ ...options, useCache: false });
  const different = differentOutputs(first, second);
  if (different.length === 0) return second;
  throw new UserError('CONFIG_IMPURE', `evaluating again gave something else for ${different.join(', ')}`, {
    hint: 'Look for what could differ between two runs: a function from outside, an object that is changed in use.',
    where: options.configPath,
  });
}

function differentOutputs(a: Evaluation, b: Evaluation): string[] {
  const names = new Set([...a.outputs.keys(), ...b.outputs.keys()]);
  const different = [...names].filter((name) => a.outputs.get(name)?.id !== b.outputs.get(name)?.id);
  return a.sandbox === b.sandbox ? different : [...different, 'the sandbox'];
}
