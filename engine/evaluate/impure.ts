// The error for what a config cannot have because its result could differ from one evaluation to the next.

import { UserError } from '../../store/base/errors.ts';

/** @throws UserError `CONFIG_IMPURE` */
export function impure(what: string, hint: string): never {
  throw new UserError('CONFIG_IMPURE', `${what} is not there when a config is evaluated`, { hint });
}
