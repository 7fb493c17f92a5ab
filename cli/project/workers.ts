// The server of workers for a command that is about no output: what the environment says, else the config, where there is one here.

import { UserError } from '../../store/base/errors.ts';
import type { Store } from '../../store/index.ts';
import type { Context } from '../context.ts';
import { executorOf } from './executor.ts';
import { configOf, evaluateConfig } from './project.ts';

/** Its URL. @throws UserError `EXECUTOR_INVALID`; for whatever is wrong with the config, when that is to say it */
export async function workersOf(context: Context, store: Store): Promise<string | undefined> {
  const isSaid = (context.env['CAIRN_EXECUTOR'] ?? '') !== '';
  const configPath = isSaid ? undefined : configHere(context);
  const flake =
    configPath === undefined ? {} : (await evaluateConfig(context, { configPath, store, targets: [] })).flake;
  return executorOf(context, { flake }).executor?.endpoint;
}

function configHere(context: Context): string | undefined {
  try {
    return configOf(context);
  } catch (error) {
    if (error instanceof UserError && error.code === 'CONFIG_MISSING' && context.shared.config === undefined)
      return undefined;
    throw error;
  }
}
