// Errors of the system and of the store, as the mistakes or circumstances of a person that they stand for.

import { isErrno, UserError } from '../../store/base/errors.ts';
import { UnreadableFile } from '../../store/base/named-file.ts';

/** What an error that ended a command means for a person; an error that means nothing to one comes back as it is. */
export function asPersonsError(error: unknown): unknown {
  if (!(error instanceof Error)) return configsError(error);
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new UserError('DISK_FULL', 'the disk is full', {
      hint: 'Free some room, for example with `cairn store gc`.',
      fault: 'environment',
      cause: error,
    });
  }
  if (isErrno(error, 'EMFILE', 'ENFILE')) {
    return new UserError('ENVIRONMENT_UNSUPPORTED', 'this process may not open as many files as it needs', {
      hint: 'Raise the limit, for example with `ulimit -n 4096`, or run fewer commands at once with -j.',
      fault: 'environment',
      cause: error,
    });
  }
  // Of process.cwd().
  if (isErrno(error, 'ENOENT') && error.syscall === 'uv_cwd') {
    return new UserError('PATH_NOT_FOUND', 'the folder that this command was started in is gone', {
      hint: 'Change to a folder that is there: `cd` to its path, if it was made anew.',
      fault: 'environment',
      cause: error,
    });
  }
  if (isErrno(error, 'ENAMETOOLONG', 'ELOOP')) {
    const reason = error.code === 'ELOOP' ? 'its symbolic links lead in a circle' : 'it is too long';
    return new UserError(
      'PATH_INVALID',
      `nothing can be at ${error.path ?? 'a path that was named'}: ${reason}`,
      {
        hint: 'Linux takes 255 bytes for a name and 4095 for a whole path. Name another place.',
        fault: 'environment',
        cause: error,
      },
    );
  }
  if (error instanceof UnreadableFile) {
    return new UserError('PATH_INVALID', error.message, {
      hint: 'A file has to be there that you may read, or nothing.',
      fault: 'environment',
      cause: error,
    });
  }
  // Node.js gives paths as text, which such a name is not.
  if (isErrno(error, 'ENOENT') && error.path?.includes('\ufffd') === true) {
    return new UserError('PATH_NOT_FOUND', `${error.path} is not there, or has a name that is not UTF-8`, {
      hint: 'Call the folder or file otherwise: cairn works with names in UTF-8.',
      fault: 'environment',
      cause: error,
    });
  }
  // By its name: its class would load the store, which most errors have nothing to do with.
  if (error instanceof Error && error.name === 'MissingBlob') {
    return new UserError('STORE_MISSING_BLOB', error.message, {
      hint: 'Run `cairn store repair`, which makes or downloads it again.',
      fault: 'environment',
      cause: error,
    });
  }
  return error;
}

// Nothing of ours throws what is no error of this realm: it is of the one that configs are evaluated in, and came out of it
// by a promise that nobody waited for, or by a member that is computed when it is looked at.
function configsError(thrown: unknown): UserError {
  const isError = typeof thrown === 'object' && thrown !== null && 'message' in thrown;
  const message = isError ? String(thrown.message) : `it threw ${String(thrown)}`;
  return new UserError('CONFIG_INVALID', `the config failed: ${message}`, {
    hint: 'Look for a promise in it: a config is evaluated in one go, and waits for nothing.',
    cause: thrown,
  });
}

/** Does something with a path that a person named. @throws UserError `USAGE` when the system refuses it. */
export async function withNamedPath<T>(
  path: string,
  work: () => Promise<T>,
  done: 'read' | 'written' = 'written',
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnreadableFile)
      throw new UserError('USAGE', error.message, { hint: 'Name a file that you may read.', cause: error });
    // Where nothing at all can be is said so for every path alike (`asPersonsError`).
    if (!isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'EEXIST')) throw error;
    throw new UserError('USAGE', `${path} cannot be ${done}: ${error.message}`, {
      hint: 'Name another place, or look at the permissions of that one.',
      cause: error,
    });
  }
}
