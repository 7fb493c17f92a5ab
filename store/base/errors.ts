// The one error type that is meant for people, the closed list of its codes, and bug() for our own mistakes.
// Knows nothing of where errors are printed or which exit status they become.

/** Stable codes. A person may search for one, a script may match one; never rename, only add. */
export type ErrorCode =
  | 'ARCHIVE_HOSTILE'
  | 'ARCHIVE_TOO_LARGE'
  | 'ARCHIVE_MALFORMED'
  | 'BISECT_INCONCLUSIVE'
  | 'CACHE_FAILED'
  | 'CACHE_INVALID'
  | 'COMPOSE_CONFLICT'
  | 'CONFIG_IMPURE'
  | 'CONFIG_INVALID'
  | 'CONFIG_MISSING'
  | 'CVE_RECORDS_INVALID'
  | 'DERIVATION_INVALID'
  | 'DEVICE_UNSUITABLE'
  | 'DISK_FULL'
  | 'ENVIRONMENT_UNSUPPORTED'
  | 'EXECUTOR_FAILED'
  | 'EXECUTOR_FULL'
  | 'EXECUTOR_INVALID'
  | 'EXPECT_FAILED'
  | 'FETCH_FAILED'
  | 'FETCH_HASH_MISMATCH'
  | 'FETCH_OFFLINE'
  | 'FETCH_PIN_GONE'
  | 'FILE_EXISTS'
  | 'GRAPH_CYCLE'
  | 'HOST_FAILED'
  | 'HOST_UNREACHABLE'
  | 'HOST_UNSUITABLE'
  | 'INPUT_IS_FOLDER'
  | 'INPUT_UNKNOWN'
  | 'KERNEL_NOT_UP'
  | 'KEY_INVALID'
  | 'LOCK_INVALID'
  | 'LOCK_MISSING_PIN'
  | 'LOCK_SIGNATURE'
  | 'MENU_FAILED'
  | 'OUTPUT_INVALID'
  | 'OUTPUT_UNWRITABLE'
  | 'PATH_INVALID'
  | 'PATH_NOT_FOUND'
  | 'PROVENANCE_UNKNOWN'
  | 'SANDBOX_UNAVAILABLE'
  | 'SOURCE_MISSING'
  | 'SOURCE_UNREADABLE'
  | 'STORE_ALTERED'
  | 'STORE_CORRUPT'
  | 'STORE_MISSING_BLOB'
  | 'STORE_NUMBER_TAKEN'
  | 'STORE_UNUSABLE'
  | 'STORE_VERSION'
  | 'TARGET_UNKNOWN'
  | 'USAGE';

/** `input`: something a person wrote or pinned is wrong. `environment`: this machine or its network is. */
export type Fault = 'input' | 'environment';

export interface UserErrorOptions {
  /** What to do next, as one or two sentences. */
  readonly hint?: string;
  readonly fault?: Fault;
  /** `file:line:column` in the person's own files, where one is known. */
  readonly where?: string;
  readonly cause?: unknown;
}

/** Anything that goes wrong and that a person can cause or mend. Printed as message, place and hint, never as a stack. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly fault: Fault;
  where: string | undefined;

  constructor(code: ErrorCode, message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.fault = options.fault ?? 'input';
    this.where = options.where;
  }
}

/** An impossible state: our mistake, exit status 70. */
export function bug(message: string): never {
  throw new Error(`bug: ${message}`);
}

/** True when `error` is a system error with this errno name, such as `ENOENT`. Catch one, never all. */
export function isErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
