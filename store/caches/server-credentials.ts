// What to show a Remote Execution API server: a token, and certificates in files that the environment names. Nothing of it is ever
// part of an error, a log or a URL.

import { UserError } from '../base/errors.ts';
import { readNamedFile, UnreadableFile } from '../base/named-file.ts';
import type { Credentials } from '../reapi/channel.ts';
import { authorizationFor } from './credentials.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws UserError `CACHE_INVALID` for a file that cannot be read */
export async function serverCredentials(url: URL, env: Environment): Promise<Credentials> {
  const authorization = await authorizationFor(url, env);
  const [authorities, chain, key] = [
    'CAIRN_CACHE_AUTHORITIES',
    'CAIRN_CACHE_CERTIFICATE',
    'CAIRN_CACHE_KEY',
  ].map((name) => fileNamedBy(name, env));
  const isEncrypted = url.protocol === 'grpcs:';
  return {
    ...(authorization?.startsWith('Bearer ') === true && { token: authorization.slice('Bearer '.length) }),
    ...(isEncrypted && authorities !== undefined && { authorities }),
    ...(isEncrypted && chain !== undefined && key !== undefined && { certificate: { chain, key } }),
  };
}

function fileNamedBy(variable: string, env: Environment): Uint8Array | undefined {
  const path = env[variable];
  if (path === undefined || path === '') return undefined;
  try {
    return readNamedFile(path);
  } catch (cause) {
    const reason = cause instanceof UnreadableFile ? cause.reason : 'there is none';
    throw new UserError(
      'CACHE_INVALID',
      `the file that ${variable} names, ${path}, cannot be read: ${reason}`,
      {
        hint: 'It must be a file in PEM.',
        cause,
      },
    );
  }
}
