// Whether the flake here has the input that commits are to stand for. Asked before anything is tried: a command that fails for
// want of it would make every commit look bad.

import { didYouMean, loadFlake } from '../../engine/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { configOf } from '../project/project.ts';
import { plainText } from '../render/plain-text.ts';

/** Nothing is said where there is no config: the command may know where to go. @throws UserError `INPUT_UNKNOWN` */
export async function requireInput(context: Context, store: Store, input: string): Promise<void> {
  const configPath = configHere(context);
  if (configPath === undefined) return;
  const { err, interruption } = context;
  const onPrint = (text: string): void => err.write(plainText(text));
  const { inputs } = await loadFlake({ configPath, store, onPrint, computing: interruption.computing });
  if (Object.hasOwn(inputs, input)) return;
  throw new UserError('INPUT_UNKNOWN', `the flake has no input "${input}" for which commits could stand`, {
    hint: `${didYouMean(input, Object.keys(inputs))}Name one with --input.`,
  });
}

function configHere(context: Context): string | undefined {
  try {
    return configOf(context);
  } catch (error) {
    if (error instanceof UserError && error.code === 'CONFIG_MISSING') return undefined;
    throw error;
  }
}
