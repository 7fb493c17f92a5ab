// What to show a web server so that it lets us in: a token of the environment, or a login of the person's .netrc. Neither is ever
// part of an error, a log, a URL or an argument of a process.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { readTextIfThere } from '../base/named-file.ts';
import { loginFor } from './netrc.ts';

export const tokenVariable = 'CAIRN_CACHE_TOKEN';

type Environment = Readonly<Record<string, string | undefined>>;

/** The Authorization header for a URL; undefined when there is nothing to show. */
export async function authorizationFor(
  { host, hostname }: Pick<URL, 'host' | 'hostname'>,
  env: Environment,
): Promise<string | undefined> {
  const token = tokenFor(host, env[tokenVariable] ?? '');
  if (token !== undefined) return `Bearer ${token}`;
  const netrc = await readTextIfThere(env['NETRC'] ?? join(env['HOME'] ?? homedir(), '.netrc'));
  const login = netrc === undefined ? undefined : loginFor(hostname, netrc);
  if (login === undefined) return undefined;
  return `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
}

// `HOST[:PORT]=TOKEN`, several with blanks between them: a token is shown to nobody but whom it is for.
function tokenFor(host: string, text: string): string | undefined {
  const entry = text.split(/\s+/).find((word) => word.startsWith(`${host}=`));
  return entry?.slice(host.length + 1);
}
