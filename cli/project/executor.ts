// Where commands are run, and whose content may be asked for: what the command line says, else what the environment says, else
// the config.

import { parseExecutor, type FlakeFacts, type OpenWorkshopOptions } from '../../engine/index.ts';
import type { Context } from '../context.ts';

/** The word for this machine alone. */
const hereAlone = 'local';

export interface ExecutorSettings {
  readonly executor?: string;
  readonly offline?: boolean;
  /** True: commands are run here, whatever is configured. */
  readonly runsHere?: boolean;
}

/** For a workshop. @throws UserError `EXECUTOR_INVALID` */
export function executorOf(
  { env }: Pick<Context, 'env'>,
  { flake }: { readonly flake: Pick<FlakeFacts, 'executor'> },
  { executor: named = env['CAIRN_EXECUTOR'], offline = false, runsHere = false }: ExecutorSettings = {},
): Pick<OpenWorkshopOptions, 'executor' | 'workers' | 'env'> {
  if (offline || named === hereAlone) return {};
  const executor = named === undefined || named === '' ? flake.executor : parseExecutor(named);
  if (executor === undefined) return {};
  return runsHere ? { workers: executor.endpoint, env } : { executor, env };
}
