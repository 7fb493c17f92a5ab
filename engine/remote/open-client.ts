// A connection to the server of some workers, with what the environment says to show it: the same as for caches on that server.

import { serverCredentials } from '../../store/caches/index.ts';
import { ReapiClient } from '../../store/reapi/index.ts';
import { UserError } from '../../store/base/errors.ts';
import type { RemoteExecution } from '../model/remote.ts';

/** To be closed. Asks nobody anything yet. @throws UserError `EXECUTOR_INVALID` */
export async function openClient(
  { endpoint }: Pick<RemoteExecution, 'endpoint'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ReapiClient> {
  try {
    return new ReapiClient(endpoint, { credentials: await serverCredentials(new URL(endpoint), env) });
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'CACHE_INVALID') throw error;
    const { message, hint, cause } = error;
    throw new UserError('EXECUTOR_INVALID', message.replace(/\bcache\b/, 'server'), {
      hint: hint ?? '',
      cause,
    });
  }
}
