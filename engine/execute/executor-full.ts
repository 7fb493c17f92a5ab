// That an executor takes no more commands for now: no failure of the step, which another executor may have.

import { UserError } from '../../store/base/errors.ts';

export class ExecutorFull extends UserError {
  constructor(executor: string, step: string, cause: Error) {
    super('EXECUTOR_FULL', `${executor} has no room for ${step}: ${cause.message}`, {
      hint: 'It was asked for as long as is sensible. Try again when it has less to do, send it fewer commands at once (`slots`), or have this machine do some of them, too (`shared`).',
      fault: 'environment',
      cause,
    });
  }
}
