// A person's signing keys: one file each, which nobody else may read.

import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { makeOwnFolders } from '../../store/base/make-folder.ts';
import { readNamedFile, UnreadableFile } from '../../store/base/named-file.ts';
import { parseSigningKey, type SigningKey } from '../../store/index.ts';
import { configFolder } from './config-folder.ts';

/** Names a key's file, for machines that have it from elsewhere. */
export const keyVariable = 'CAIRN_KEY_FILE';

export function keysFolder(env: NodeJS.ProcessEnv): string {
  return join(configFolder(env), 'keys');
}

/** Writes a key that is new; gives its file. @throws UserError `KEY_INVALID` when there is one of that name */
export function writeKey(key: SigningKey, env: NodeJS.ProcessEnv): string {
  const folder = keysFolder(env);
  const path = join(folder, key.publicKey.name);
  makeOwnFolders(folder, 0o700);
  try {
    writeFileSync(path, `${key.secretText()}\n`, { flag: 'wx', mode: 0o600 });
    chmodSync(path, 0o600);
    return path;
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    throw new UserError('KEY_INVALID', `there is a key "${key.publicKey.name}" already`, {
      hint: `It is ${path}. Others may trust it: give the new one another name.`,
    });
  }
}

/**
 * The key to sign with: the one that was named, else the environment's, else the only one there is.
 * @throws UserError `KEY_INVALID`
 */
export function signingKey(named: string | undefined, env: NodeJS.ProcessEnv): SigningKey {
  const file = env[keyVariable];
  if (named !== undefined) return readKey(join(keysFolder(env), named));
  if (file !== undefined && file !== '') return readKey(file);
  const names = keyNames(env);
  if (names.length === 1) return readKey(join(keysFolder(env), names[0]!));
  const problem =
    names.length === 0
      ? 'there is no key to sign with'
      : `there are several keys to sign with: ${names.join(', ')}`;
  throw new UserError('KEY_INVALID', problem, {
    hint:
      names.length === 0
        ? `\`cairn key generate NAME\` makes one; or let ${keyVariable} name its file.`
        : 'Say which one with --key NAME.',
  });
}

function keyNames(env: NodeJS.ProcessEnv): string[] {
  try {
    return readdirSync(keysFolder(env)).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function readKey(path: string): SigningKey {
  try {
    const bytes = readNamedFile(path);
    const others = statSync(path).mode & 0o077;
    if (others !== 0)
      throw new UserError('KEY_INVALID', `others may read the key ${path}`, {
        hint: `chmod 600 ${path}, if nobody has read it yet; else make another one.`,
        fault: 'environment',
      });
    return parseSigningKey(bytes.toString('utf8'));
  } catch (error) {
    const isAbsent = isErrno(error, 'ENOENT', 'ENOTDIR');
    if (!isAbsent && !(error instanceof UnreadableFile)) throw error;
    const reason = isAbsent ? 'there is none' : error.reason;
    throw new UserError('KEY_INVALID', `the key ${path} cannot be read: ${reason}`, {
      hint: '`cairn key generate NAME` makes one.',
      cause: error,
    });
  }
}
