// What went wrong, as gRPC says it: nothing of this machine is in it.

import { status, type Metadata, type StatusObject } from '@grpc/grpc-js';
import { isErrno, UserError } from '../../base/errors.ts';
import { MissingBlob } from '../../store.ts';
import { Refusal } from '../refusal.ts';

type Failure = Pick<StatusObject, 'code' | 'details'> & { readonly metadata?: Metadata };

const codes: Readonly<Record<number, status>> = {
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  412: status.ABORTED,
  413: status.RESOURCE_EXHAUSTED,
  501: status.UNIMPLEMENTED,
};

/** The status, and whether it is this side's doing. */
export function statusOf(error: unknown): Failure & { readonly isOurs: boolean } {
  if (error instanceof Refusal)
    return { code: codes[error.status] ?? status.INVALID_ARGUMENT, details: error.message, isOurs: false };
  if (error instanceof MissingBlob)
    return { code: status.NOT_FOUND, details: `${error.digest} is not here`, isOurs: false };
  const isFull = error instanceof UserError ? error.code === 'DISK_FULL' : isErrno(error, 'ENOSPC', 'EDQUOT');
  if (isFull) return { code: status.RESOURCE_EXHAUSTED, details: 'this cache is full', isOurs: true };
  return { code: status.INTERNAL, details: 'something went wrong here', isOurs: true };
}
