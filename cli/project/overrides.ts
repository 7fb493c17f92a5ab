// Folders that stand for inputs, as a person names them: --override INPUT=FOLDER, or who starts cairn for a person does, in
// the environment. Knows no flake: which inputs there are is found out when it is evaluated.

import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';

/** Overrides that hold for every command that is started with it, each on a line; the command line outranks it. */
export const overrideVariable = 'CAIRN_OVERRIDE';

/** What the command line and the environment name together. @throws as `namedOverrides` */
export function allOverrides(
  texts: readonly string[] | undefined,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const lines = (env[overrideVariable] ?? '').split('\n').filter((line) => line !== '');
  return { ...namedOverrides(lines), ...namedOverrides(texts) };
}

/**
 * Absolute folders by input; what is relative starts where the command was typed.
 * @throws UserError `USAGE` when one is not written so, or is named twice; `SOURCE_MISSING` when it is not there.
 */
export function namedOverrides(texts: readonly string[] = []): Readonly<Record<string, string>> {
  const overrides: Record<string, string> = mapByName();
  for (const text of texts) {
    const [, input, folder] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (input === undefined || folder === undefined) throw unwritten(text);
    const path = resolve(folder);
    if (overrides[input] !== undefined && overrides[input] !== path) throw twice(input);
    checkFolder(input, path);
    overrides[input] = path;
  }
  return overrides;
}

function checkFolder(input: string, path: string): void {
  if (isFolder(path)) return;
  throw new UserError('SOURCE_MISSING', `--override ${input}: there is no folder ${path}`, {
    hint: 'Look at the path: what is relative starts from the folder that the command is typed in.',
  });
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) return false;
    throw error;
  }
}

function unwritten(text: string): UserError {
  return new UserError('USAGE', `--override ${text} names no input and its folder`, {
    hint: 'Write --override INPUT=FOLDER, for example --override linux=../linux.',
  });
}

function twice(input: string): UserError {
  return new UserError('USAGE', `--override names two folders for ${input}`, {
    hint: 'One folder can stand for an input.',
  });
}
