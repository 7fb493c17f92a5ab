// What a person reads when a pinned file could not be had: which one, from where, why, and what to do now.

import { digestHash, digestSize } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { exactBytes } from '../../store/base/exact-bytes.ts';
import type { FetchRequest, PinOrigin } from './fetch-request.ts';
import { redactUrl } from '../../store/base/http/redact.ts';
import type { TransferFailure } from './transfer.ts';

const elsewhere =
  'set CAIRN_SOURCES to a folder made by `cairn fetch OUTPUT --to FOLDER`, or CAIRN_MIRROR_<NAME> to another mirror';

/** Why a download failed at each of its URLs, and then at each place that keeps what has left those. */
export interface FetchFailures {
  readonly failures: readonly TransferFailure[];
  readonly kept: readonly TransferFailure[];
}

/** The error for a download that failed everywhere; the gravest kind of failure decides. */
export function fetchError(
  request: FetchRequest,
  { failures, kept }: FetchFailures,
  origin?: PinOrigin,
): UserError {
  const mismatch = [...failures, ...kept].find(({ kind }) => kind === 'mismatch');
  if (mismatch !== undefined) return hashMismatch(request, mismatch, origin);
  if (failures.every(({ kind }) => kind === 'gone')) return pinGone(request, { failures, kept }, origin);
  return new UserError(
    'FETCH_FAILED',
    `${describe(request, origin)} could not be downloaded${listOf(failures)}`,
    {
      hint: `Check the network and run the command again (what has arrived is kept), or ${elsewhere}.`,
      fault: 'environment',
    },
  );
}

/** Downloads are off, and no folder of this machine has it. */
export function offlineError(request: FetchRequest): UserError {
  return new UserError('FETCH_OFFLINE', `${request.name} is not in the store, and downloads are off`, {
    hint: `Run the command once without --offline, or ${elsewhere}.`,
    fault: 'environment',
  });
}

/** The store's file system has no room for it. */
export function diskFull(request: FetchRequest, cause: Error): UserError {
  return new UserError('DISK_FULL', `no space left for ${request.name}`, {
    hint: 'Make room, with `cairn store gc` for one, and run the command again.',
    fault: 'environment',
    cause,
  });
}

function hashMismatch(
  request: FetchRequest,
  { url, message, actual }: TransferFailure,
  origin?: PinOrigin,
): UserError {
  const got =
    actual === undefined ? message : `got SHA-256 ${digestHash(actual)} (${exactBytes(digestSize(actual))})`;
  const size = request.sizeBytes === undefined ? '' : ` (${exactBytes(request.sizeBytes)})`;
  return new UserError(
    'FETCH_HASH_MISMATCH',
    `${describe(request, origin)}: ${redactUrl(url)} is not the pinned file: expected SHA-256 ${request.sha256}${size}, ${got}`,
    {
      hint:
        'Nothing of it was kept. Either that server is damaged or lies: ' +
        `${elsewhere}. Or ${origin === undefined ? notOfTheLock(actual) : `upstream replaced the file: look at it, then run \`${lockCommand(origin)}\` and review the change`}.`,
    },
  );
}

function pinGone(request: FetchRequest, { failures, kept }: FetchFailures, origin?: PinOrigin): UserError {
  const keeper = kept.length === 0 ? '' : `\nand is not to be had where such files are kept${listOf(kept)}`;
  return new UserError(
    'FETCH_PIN_GONE',
    `${describe(request, origin)} has left the places it was pinned at${listOf(failures)}${keeper}`,
    {
      hint:
        origin === undefined
          ? `Write a URL in the config that has it, or ${elsewhere}.`
          : `Run \`${lockCommand(origin)}\` to move to the version there is now. To keep this one, ${elsewhere}, ` +
            'CAIRN_MIRROR_SNAPSHOT to the base of a snapshot service (Debian has one that keeps every file it ever had), ' +
            'or add a URL that still has it to its pin in flake-like.lock.',
    },
  );
}

function describe(request: FetchRequest, origin: PinOrigin | undefined): string {
  return origin === undefined ? request.name : `${origin.name} ${origin.version} (${request.name})`;
}

function lockCommand({ inputs }: PinOrigin): string {
  return `cairn lock ${inputs.join(' ')}`;
}

function notOfTheLock(actual: TransferFailure['actual']): string {
  const sha256 = actual === undefined ? '…' : digestHash(actual);
  return `the hash in the config is not its own: look at the file, and if it is what you want, write sha256: '${sha256}'`;
}

function listOf(failures: readonly TransferFailure[]): string {
  return failures.map(({ url, message }) => `\n  ${redactUrl(url)}: ${message}`).join('');
}
