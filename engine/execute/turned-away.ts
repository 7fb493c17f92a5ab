// That an executor does not do a command for now, and why: no failure of the step, which another executor may have.

import { UserError, type ErrorCode, type UserErrorOptions } from '../../store/base/errors.ts';

export class TurnedAway extends UserError {
  /** True: it could not be reached, and so it would not do any other command either. */
  readonly isDown: boolean;

  constructor(
    code: Extract<ErrorCode, 'EXECUTOR_FAILED' | 'EXECUTOR_FULL'>,
    message: string,
    { isDown, ...options }: Pick<UserErrorOptions, 'cause' | 'hint'> & { readonly isDown: boolean },
  ) {
    super(code, message, { fault: 'environment', ...options });
    this.isDown = isDown;
  }
}
