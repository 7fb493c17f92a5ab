// What is expected to fail, as what it fails with.

import type { UserError } from '../../store/base/errors.ts';

/** The UserError that `work` ends with. */
export async function failureOf(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if ((error as Error).name !== 'UserError') throw error;
  return error as UserError;
}
