// An action on its way through a server: asked for, followed wherever its stream breaks off, ended when nobody wants it any more.
// Knows nothing of what it does; what is wrong with its inputs, or with a worker, is a failure for whoever can do something.

import { create, fromBinary } from '@bufbuild/protobuf';
import { anyUnpack, timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type { Digest } from '../base/digest.ts';
import type { Connection } from './connection.ts';
import { digestIn, digestMessage } from './digests.ts';
import { failureOfStatus, isPassing, ReapiFailure } from './failure.ts';
import {
  DigestFunction_Value,
  ExecuteOperationMetadataSchema,
  ExecuteRequestSchema,
  ExecuteResponseSchema,
  Execution,
  ExecutionStage_Value,
  TreeSchema,
  WaitExecutionRequestSchema,
  type ActionResult,
  type ExecuteResponse,
} from './messages/build/bazel/remote/execution/v2/remote_execution_pb.ts';
import {
  CancelOperationRequestSchema,
  Operations,
  type Operation,
} from './messages/google/longrunning/operations_pb.ts';
import type { Status } from './messages/google/rpc/status_pb.ts';
import { LiveLog, type TakeOutput } from './live-log.ts';
import { pauseBefore, pauseFor, pauseMsAfter, type Patience } from './patience.ts';
import { retryAfterMs } from './retry-info.ts';

/** What a server says of where time went, in milliseconds, as far as it says so. */
export interface ServerTimes {
  readonly worker: string | undefined;
  readonly queuedMs: number | undefined;
  readonly fetchedMs: number | undefined;
  readonly executedMs: number | undefined;
  readonly uploadedMs: number | undefined;
}

/** Bytes that came with the answer, or where they are. */
export type Written = Uint8Array | Digest;

export type Executed =
  | {
      readonly kind: 'ended';
      readonly status: number;
      /** Both output streams that are one, if the program made them so. */
      readonly log: Written;
      readonly files: ReadonlyMap<string, Written>;
      /** By path, where each is described ({@link treeParts}). */
      readonly folders: ReadonlyMap<string, Digest>;
      readonly times: ServerTimes;
    }
  | { readonly kind: 'timeout' };

export interface ExecuteCall {
  readonly signal: AbortSignal;
  /** Told when it waits for a worker, and when one does it, by servers that say so. */
  readonly onStage?: (stage: 'queued' | 'executing') => void;
  /** Gets the log while it is written, from servers that stream it. */
  readonly onOutput?: TakeOutput;
}

/** The server has no room in its queue, and has been asked for as long as is sensible. */
export class QueueFull extends ReapiFailure {}

/** How long an end that was asked for may take to be taken note of. */
const cancelMs = 5_000;
/** A server that had begun, or has too much to do, is waited for some two minutes. */
const longPatience = 11;

/** How long a full queue is waited for in all. */
function fullPatienceMs({ pauseMs }: Patience): number {
  return pauseMs * 2 ** (longPatience - 1);
}

/** Of one action under way. */
interface Under {
  name: string | undefined;
}
/** An action may take hours without a word; a server that is gone is noticed by the connection. */
const noHurry = { idleMs: Infinity };

/**
 * Has an action done, whatever was done before. @throws ReapiFailure: `unavailable` when no try came to its end, for want of inputs
 * perhaps; the signal's reason, when the server has been told.
 */
export async function execute(connection: Connection, action: Digest, call: ExecuteCall): Promise<Executed> {
  const { patience } = connection;
  const { signal, onOutput } = call;
  const under: Under = { name: undefined };
  const log = onOutput && new LiveLog(connection, onOutput, signal);
  try {
    const full = { tries: 1, waitedMs: 0 };
    let hasBegun = false;
    for (let tries = 1; ;) {
      const before = under.name;
      try {
        return await follow(connection, action, { ...call, under, log });
      } catch (error) {
        signal.throwIfAborted();
        if (isFull(error)) {
          await waitForRoom(full, error, patience, signal);
          continue;
        }
        const isNew = before === undefined && under.name !== undefined;
        hasBegun ||= isNew;
        if (before !== undefined && isUnknown(error)) under.name = undefined;
        else if (!isBrokenOff(error)) throw before === undefined ? asRefusal(error) : error;
        // Whoever came as far as to begin it has as many tries again.
        if (isNew) tries = 1;
        if (tries >= (hasBegun ? longPatience : patience.tries)) throw error;
        await pauseBefore(tries++, patience, signal);
      }
    }
  } catch (error) {
    if (signal.aborted && under.name !== undefined) await cancel(connection, under.name);
    throw error;
  } finally {
    log?.end();
  }
}

// Whether the call says so, or the action's end: what it was to do has not begun. A server's own word on when to come again counts as
// far as patience goes.
async function waitForRoom(
  full: { tries: number; waitedMs: number },
  failure: ReapiFailure,
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  const pauseMs = Math.max(pauseMsAfter(full.tries++, patience), failure.retryAfterMs ?? 0);
  if (full.waitedMs + pauseMs > fullPatienceMs(patience)) {
    const { message, code, retryAfterMs } = failure;
    throw new QueueFull('full', message, { cause: failure, code, retryAfterMs });
  }
  full.waitedMs += pauseMs;
  await pauseFor(pauseMs, signal);
}

// One stream: a new one, or that of what is under way.
async function follow(
  { channel, instance }: Connection,
  action: Digest,
  { signal, onStage, under, log }: ExecuteCall & { readonly under: Under; readonly log: LiveLog | undefined },
): Promise<Executed> {
  const operations =
    under.name === undefined
      ? channel.askForStream(
          Execution.method.execute,
          create(ExecuteRequestSchema, {
            instanceName: instance,
            actionDigest: digestMessage(action),
            skipCacheLookup: true,
            digestFunction: DigestFunction_Value.SHA256,
          }),
          signal,
          noHurry,
        )
      : channel.askForStream(
          Execution.method.waitExecution,
          create(WaitExecutionRequestSchema, { name: under.name }),
          signal,
          noHurry,
        );
  for await (const operation of operations) {
    if (operation.name !== '') under.name = operation.name;
    tell(operation, onStage, log);
    if (!operation.done) continue;
    under.name = undefined;
    return endOf(operation);
  }
  throw new BrokenOff('the server ended before the action did');
}

/** What is under way may be so still. */
class BrokenOff extends ReapiFailure {
  constructor(message: string) {
    super('unavailable', message);
  }
}

// What the call failed with, not what the action came to.
function isBrokenOff(error: unknown): boolean {
  return isPassing(error) && !(error instanceof ActionFailure);
}

/** The action came to nothing, as the server says, or what its worker has left. */
export class ActionFailure extends ReapiFailure {}

function isFull(error: unknown): error is ReapiFailure {
  return error instanceof ReapiFailure && error.kind === 'full';
}

function isUnknown(error: unknown): boolean {
  return error instanceof ReapiFailure && (error.kind === 'absent' || error.kind === 'unsupported');
}

// The action, or something of it, may be what the server does not have.
function asRefusal(error: unknown): unknown {
  return error instanceof ReapiFailure ? asActionFailure(error) : error;
}

function tell({ metadata }: Operation, onStage: ExecuteCall['onStage'], log: LiveLog | undefined): void {
  const known = metadata && anyUnpack(metadata, ExecuteOperationMetadataSchema);
  if (known?.stage === ExecutionStage_Value.QUEUED) onStage?.('queued');
  if (known?.stage === ExecutionStage_Value.EXECUTING) onStage?.('executing');
  if (known !== undefined) log?.isAt(known.stdoutStreamName);
}

function endOf({ result }: Operation): Executed {
  if (result.case === 'error') throw actionFailure(result.value);
  const response = result.case === 'response' ? responseIn(result.value.value) : undefined;
  if (response === undefined) throw new ReapiFailure('wrong', 'the server gave an end that is no answer');
  // Before the status of the command: who could not start one has none.
  const code = response.status?.code ?? 0;
  if (code === (status.DEADLINE_EXCEEDED as number)) return { kind: 'timeout' };
  if (response.status !== undefined && code !== 0) throw actionFailure(response.status);
  if (response.result === undefined) throw new ReapiFailure('wrong', 'the server gave no result');
  return ended(response.result);
}

function responseIn(bytes: Uint8Array): ExecuteResponse | undefined {
  try {
    return fromBinary(ExecuteResponseSchema, bytes);
  } catch {
    return undefined;
  }
}

function actionFailure({ code, message, details }: Status): ActionFailure {
  return asActionFailure(failureOfStatus(code, message, 'the action', retryAfterMs(details)));
}

// That inputs are missing is said in several ways, and whoever has them can send them again.
function asActionFailure({ kind, code, message, retryAfterMs: afterMs }: ReapiFailure): ActionFailure {
  const lacksInputs = kind === 'absent' || code === (status.FAILED_PRECONDITION as number);
  return new ActionFailure(lacksInputs ? 'unavailable' : kind, message, { retryAfterMs: afterMs });
}

function ended(result: ActionResult): Executed {
  const { exitCode, outputFiles, outputDirectories, stdoutRaw, stdoutDigest } = result;
  const written = (raw: Uint8Array, digest: typeof stdoutDigest): Written =>
    digest === undefined || raw.byteLength > 0 ? raw : digestIn(digest);
  return {
    kind: 'ended',
    status: exitCode,
    log: written(stdoutRaw, stdoutDigest),
    files: new Map(outputFiles.map(({ path, contents, digest }) => [path, written(contents, digest)])),
    folders: new Map(outputDirectories.map(({ path, treeDigest }) => [path, digestIn(treeDigest)])),
    times: timesOf(result),
  };
}

function timesOf({ executionMetadata: said }: ActionResult): ServerTimes {
  return {
    worker: said?.worker === '' ? undefined : said?.worker,
    queuedMs: between(said?.queuedTimestamp, said?.workerStartTimestamp),
    fetchedMs: between(said?.inputFetchStartTimestamp, said?.inputFetchCompletedTimestamp),
    executedMs: between(said?.executionStartTimestamp, said?.executionCompletedTimestamp),
    uploadedMs: between(said?.outputUploadStartTimestamp, said?.outputUploadCompletedTimestamp),
  };
}

function between(start: Timestamp | undefined, end: Timestamp | undefined): number | undefined {
  if (start === undefined || end === undefined) return undefined;
  return Math.max(0, timestampMs(end) - timestampMs(start));
}

// Whoever wanted it is not kept waiting by a server that does not answer.
async function cancel({ channel }: Connection, name: string): Promise<void> {
  const question = create(CancelOperationRequestSchema, { name });
  await channel
    .ask(Operations.method.cancelOperation, question, AbortSignal.timeout(cancelMs))
    .catch(() => undefined);
}

/** The directories of an output folder, as the bytes that they are, its top first. @throws ReapiFailure */
export function treeParts(bytes: Uint8Array): readonly Uint8Array[] {
  try {
    const { root, children } = fromBinary(TreeSchema, bytes);
    return [root, ...children];
  } catch (cause) {
    throw new ReapiFailure('wrong', 'the server gave a folder that is none', { cause });
  }
}
