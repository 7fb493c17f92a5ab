// What can go wrong between us and a server, told apart by what follows from it. Shows no token, no certificate, and of what the
// server says only its first line.

import { status, type ServiceError } from '@grpc/grpc-js';
import { retryAfterMsIn } from './retry-info.ts';

/**
 * `absent`: it has no such thing. `full`: it takes no more. `refused`: it wants other credentials, or does not allow this to us.
 * `unavailable`: it is not there, too slow, or broke off. `wrong`: what it said or gave is not what it should be.
 * `unsupported`: it does not know the call.
 */
export type FailureKind = 'absent' | 'full' | 'refused' | 'unavailable' | 'unsupported' | 'wrong';

/** A call that failed, for whoever asks caches: they go on without this one. */
export class ReapiFailure extends Error {
  override readonly name = 'ReapiFailure';
  readonly kind: FailureKind;
  /** gRPC's, where it is what a call ended with. */
  readonly code: number | undefined;
  /** When the server wants to be asked again, in milliseconds, where it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    { cause, code, retryAfterMs }: Partial<Pick<ReapiFailure, 'cause' | 'code' | 'retryAfterMs'>> = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Patience with it has ended. */
export class TooSlow extends ReapiFailure {
  constructor(what: string, waitedMs: number) {
    super('unavailable', `${what}: nothing came or went for ${waitedMs / 1000} s`);
  }
}

const kindsByStatus: Readonly<Record<number, FailureKind | undefined>> = {
  [status.NOT_FOUND]: 'absent',
  [status.RESOURCE_EXHAUSTED]: 'full',
  [status.UNAUTHENTICATED]: 'refused',
  [status.PERMISSION_DENIED]: 'refused',
  [status.UNIMPLEMENTED]: 'unsupported',
  [status.INVALID_ARGUMENT]: 'wrong',
  [status.OUT_OF_RANGE]: 'wrong',
  [status.FAILED_PRECONDITION]: 'wrong',
  [status.DATA_LOSS]: 'wrong',
};

export function failureOfStatus(
  code: number,
  details: string,
  what: string,
  retryAfterMs?: number,
): ReapiFailure {
  const kind = kindsByStatus[code] ?? 'unavailable';
  const name = (status as Readonly<Record<number, string | undefined>>)[code] ?? `status ${code}`;
  const message = `${what}: ${name}${details === '' ? '' : `: ${shown(details)}`}`;
  return new ReapiFailure(kind, message, { code, retryAfterMs });
}

/** A failure of gRPC's as ours; others stay what they are. */
export function asFailure(error: unknown, what: string): Error {
  if (!isServiceError(error)) return error instanceof Error ? error : new Error(String(error));
  return failureOfStatus(error.code, error.details, what, retryAfterMsIn(error.metadata));
}

/** True for what may be over at the next try. Who was waited for in vain is not waited for again. */
export function isPassing(error: unknown): boolean {
  if (error instanceof TooSlow) return false;
  return error instanceof ReapiFailure && (error.kind === 'unavailable' || error.kind === 'full');
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && typeof (error as Partial<ServiceError>).code === 'number';
}

function shown(details: string): string {
  const line = details.split('\n', 1)[0]!.replace(/[^\x20-\x7e]/g, '?');
  return line.replace(/\bbearer\s+\S+/gi, 'Bearer …').slice(0, 200);
}
