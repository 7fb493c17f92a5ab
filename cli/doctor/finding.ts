// One thing that was looked at, and how it stands. Pure.

/** `fail`: builds will not work. `warn`: they will, but something will be slower, or missing later. */
export type State = 'ok' | 'warn' | 'fail';

export interface Finding {
  readonly subject: string;
  readonly state: State;
  readonly message: string;
  /** How to mend it. */
  readonly hint?: string | undefined;
}

export function ok(subject: string, message: string): Finding {
  return { subject, state: 'ok', message };
}

export function warn(subject: string, message: string, hint: string): Finding {
  return { subject, state: 'warn', message, hint };
}

export function fail(subject: string, message: string, hint: string | undefined): Finding {
  return { subject, state: 'fail', message, hint };
}
