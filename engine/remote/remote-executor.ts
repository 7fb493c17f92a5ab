// Runs requests on the workers of a Remote Execution API server, each in the sandbox that it would have here. Believes what a worker
// has just done and nothing that was done before; what comes is checked before anybody sees it. Knows nothing of plans or slots.

import { join } from 'node:path';
import type { Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import { MissingBlob, type DoneElsewhere, type Store } from '../../store/index.ts';
import {
  ActionFailure,
  actionOf,
  isPassing,
  QueueFull,
  ReapiFailure,
  type Executed,
  type ReapiClient,
} from '../../store/reapi/index.ts';
import { totalSize } from '../content-below.ts';
import type { FailureReason } from '../events.ts';
import { refuseEmpty } from '../execute/check-outputs.ts';
import type { RootMode } from '../model/remote.ts';
import type { BuildRequest, ExecuteOptions, ExecuteResult, Executor } from '../execute/executor.ts';
import { TurnedAway } from '../execute/turned-away.ts';
import { parseReport } from '../sandbox/launch-protocol.ts';
import { usualLimits } from '../sandbox/limits.ts';
import { StepLog } from '../sandbox/step-log.ts';
import { describeFailure, hintForStart, reasonForStatus } from '../sandbox/verdict.ts';
import type { SeenPace } from '../schedule/pace.ts';
import { inputRoot, outputPlace, places, type InputRoot } from './input-root.ts';
import { refusedOutput } from './refused-output.ts';
import { rootContent } from './root-content.ts';
import { readAll, takeOutputs } from './take-outputs.ts';
import { ShownLog } from './shown-log.ts';
import type { TravellingTool } from './travelling-tool.ts';

export interface RemoteExecutorOptions {
  readonly store: Store;
  /** The server, for people, and as the place of what is left there. */
  readonly name: string;
  /** Closed with the executor. */
  readonly client: ReapiClient;
  readonly tool: TravellingTool;
  readonly mode: RootMode;
  /** What a worker must be, in the server's words. */
  readonly properties: Readonly<Record<string, string>>;
  /** How many things a step is told to do at once. */
  readonly jobs: number;
  /** Trees of which the server was seen to have all: asked for again only when something turns out to be gone. */
  readonly known: Set<Digest>;
  /** Told how quick the server is. */
  readonly pace: SeenPace;
}

/** An action that came to nothing is sent so often in all, with what the server lacks by then. */
const mostTries = 3;

/** By so much the server's limit is longer: it is for a worker on which nobody attends to the step any more. */
const overtimeSeconds = 60;

/** A request under way. */
interface Step {
  readonly request: BuildRequest;
  readonly options: ExecuteOptions;
  readonly startedMs: number;
  readonly log: StepLog;
  /** What a person sees of it. */
  readonly shown: ShownLog;
  /** How long the line was kept busy for it, where that was worth measuring. */
  readonly moving: { ms: number };
}

/** Blobs of the server's that say what came of an action. */
type Told = ReadonlyMap<Digest, Uint8Array>;
type Ended = Extract<Executed, { kind: 'ended' }>;
type Failed = Extract<ExecuteResult, { kind: 'failed' }>;

export class RemoteExecutor implements Executor {
  readonly keepsFolders = false;
  readonly #options: RemoteExecutorOptions;
  constructor(options: RemoteExecutorOptions) {
    this.#options = options;
  }

  async execute(request: BuildRequest, options: ExecuteOptions): Promise<ExecuteResult> {
    const { store, name } = this.#options;
    const log = new StepLog(join(store.path, 'logs'), request.name, () => undefined);
    const shown = new ShownLog(options.onOutput, logLimitOf(request));
    const step: Step = { request, options, log, shown, moving: { ms: 0 }, startedMs: performance.now() };
    try {
      const result = await this.#perform(step);
      shown.end();
      if (result.kind === 'cancelled') log.remove();
      return result;
    } catch (error) {
      log.remove();
      if (options.signal.aborted) return { kind: 'cancelled' };
      throw error instanceof ReapiFailure ? failedElsewhere(request, name, error) : error;
    }
  }

  /** Servers do not tell. */
  buildersCpuMs(): number {
    return 0;
  }

  close(): Promise<void> {
    this.#options.client.close();
    return Promise.resolve();
  }

  async #perform(step: Step): Promise<ExecuteResult> {
    const { request, options } = step;
    const { mode, tool, jobs } = this.#options;
    const root = inputRoot(request, { mode, tool, jobs, variation: options.variation });
    for (let tries = 1; ; tries++) {
      try {
        return await this.#runAndTake(step, root);
      } catch (error) {
        options.signal.throwIfAborted();
        if (!isWorthAnotherTry(error) || tries === mostTries) throw error;
        // It may be its inputs that are gone, whatever it says.
        this.#options.known.clear();
      }
    }
  }

  async #runAndTake(step: Step, root: InputRoot): Promise<ExecuteResult> {
    const { request, options } = step;
    const end = await this.#run(step, root);
    if (end.kind === 'timeout')
      return this.#fail(step, end, { kind: 'timeout', limitSeconds: timeoutOf(request) });
    // In one question, since most steps succeed: what it reports, and what describes its outputs.
    const told = await readAll(describedBy(request, end), {
      client: this.#options.client,
      signal: options.signal,
    });
    const excess = textOf(end, places.excess, told);
    const report = textOf(end, places.status, told);
    const status = report === undefined ? undefined : statusIn(report);
    if (status === 0 && excess === undefined) return this.#take(step, end, told);
    await this.#takeLog(step, end);
    if (excess !== undefined) return this.#fail(step, end, excessOf(request, excess));
    return status === undefined
      ? this.#notStarted(step, end)
      : this.#fail(step, end, reasonForStatus(status));
  }

  async #take(step: Step, end: Ended, told: Told): Promise<ExecuteResult> {
    const { request, options, log } = step;
    const { client, store, pace } = this.#options;
    const { signal } = options;
    const batch = store.begin();
    try {
      const refused = textOf(end, places.refused, told);
      if (refused !== undefined) throw refusedOutput(request, refused);
      const leftAt = options.bringsFiles === true ? undefined : this.#options.name;
      const context = { client, batch, blobs: store.blobs, signal, leftAt, told };
      const takingMs = performance.now();
      const { outputs, left, broughtBytes } = await takeOutputs(request.outputs, end, context);
      this.#noticeMoved(step, broughtBytes, takingMs);
      // Last, since what is said before may be said again.
      await this.#takeLog(step, end);
      refuseEmpty(request, outputs);
      log.close();
      const logDigest = log.sizeBytes > 0 ? await batch.takeFile(log.path, false) : undefined;
      signal.throwIfAborted();
      const durationMs = end.times.executedMs ?? elapsedMs(step);
      if (end.times.executedMs !== undefined) pace.took(elapsedMs(step) - durationMs - step.moving.ms);
      const use = { durationMs, cpuMs: undefined, peakMemoryBytes: undefined };
      const remote = { ...this.#placeOf(end), left };
      return { kind: 'succeeded', outputs, batch, log: logDigest, use, remote };
    } catch (error) {
      await batch.discard();
      if (!(error instanceof UserError) || error.code !== 'OUTPUT_INVALID') throw error;
      if (log.sizeBytes === 0) await this.#takeLog(step, end);
      const failed = this.#fail(step, end, { kind: 'bad-output' }, error.message);
      return { ...failed, ...(error.hint !== undefined && { hint: error.hint }) };
    }
  }

  async #run(step: Step, root: InputRoot): Promise<Executed> {
    const { request, options, shown } = step;
    const { signal } = options;
    const { client, known, pace, properties, store } = this.#options;
    const action = actionOf({
      argv: root.argv,
      inputRoot: root.digest,
      outputs: [places.status, places.excess, places.refused, ...request.outputs.map(outputPlace)],
      properties,
      timeoutSeconds: Math.ceil(timeoutOf(request)) + overtimeSeconds,
    });
    const content = rootContent(root, store, (tree) => known.has(tree));
    const missing = await client.missing([...content.digests, ...action.files.keys()], signal);
    const { source } = content;
    const lost = [...missing].filter((digest) => !action.files.has(digest) && !content.isHere(digest));
    if (lost.length > 0) throw new MissingBlob(lost[0]!, { others: lost });
    const read = async (digest: Digest): Promise<Uint8Array> =>
      action.files.get(digest) ?? source.read(digest);
    const unseen = withoutLeft(content.digests, store);
    pace.lacked(totalSize(unseen), totalSize(unseen.filter((digest) => missing.has(digest))));
    const sendingMs = performance.now();
    await client.write(missing, { read, stream: (digest) => source.stream(digest) }, signal);
    this.#noticeMoved(step, totalSize(missing), sendingMs);
    for (const tree of content.trees) known.add(tree);
    return client.execute(action.digest, {
      signal,
      onOutput: (bytes, offset) => shown.stream(bytes, offset),
    });
  }

  // What is over the limit is not kept.
  async #takeLog({ log, shown, options, request }: Step, { log: written }: Ended): Promise<void> {
    const write = (bytes: Uint8Array): void => {
      log.write(bytes);
      shown.rest(bytes);
    };
    if (typeof written !== 'string') {
      if (written.byteLength > 0) write(written);
      return;
    }
    let leftBytes = logLimitOf(request);
    const take = async (_: Digest, bytes: AsyncIterable<Uint8Array>): Promise<void> => {
      for await (const chunk of bytes) {
        if (leftBytes > 0) write(chunk.subarray(0, leftBytes));
        leftBytes -= chunk.byteLength;
      }
    };
    await this.#options.client.read([written], take, options.signal);
  }

  // The sandbox's own word, or that of the program that starts it, is the last line: whether it is the command that is not there,
  // or the worker that cannot have a sandbox.
  #notStarted(step: Step, end: Ended): Failed {
    const { log } = step;
    const line =
      log
        .lines()
        .filter((each) => each !== '')
        .at(-1) ?? `it ended with status ${end.status} and no word`;
    const failure = /^bwrap: (execvp .*)$/.exec(line)?.[1];
    if (failure === undefined)
      throw new ReapiFailure('unsupported', `no sandbox could be started there: ${line}`);
    const failed = this.#fail(step, end, { kind: 'input' });
    const hint = hintForStart(failure);
    return { ...failed, message: `${failed.message}: ${failure}`, ...(hint !== undefined && { hint }) };
  }

  #fail(step: Step, end: Executed, reason: FailureReason, message?: string): Failed {
    const { request, log } = step;
    const place = this.#placeOf(end);
    return {
      kind: 'failed',
      reason,
      message: message ?? describeFailure(request.name, reason),
      remote: { ...place, left: { files: 0, sizeBytes: 0 } },
      logTail: log.keep(place),
      logFile: log.path,
      keptFolder: undefined,
      durationMs: elapsedMs(step),
    };
  }

  #noticeMoved({ moving }: Step, bytes: number, sinceMs: number): void {
    moving.ms += this.#options.pace.moved(bytes, performance.now() - sinceMs);
  }

  // Of what took too long a server says nothing more.
  #placeOf(end: Executed): DoneElsewhere {
    return { executor: this.#options.name, ...(end.kind === 'ended' && end.times) };
  }
}

// What stayed there says nothing of what else is there.
function withoutLeft(digests: ReadonlySet<Digest>, { left, blobs }: Store): readonly Digest[] {
  const all = [...digests];
  return left.any() ? all.filter((digest) => !left.has(digest) || blobs.has(digest)) : all;
}

// What is in no message, and small: reports, and the trees of outputs without their files.
function describedBy({ outputs }: BuildRequest, { files, folders }: Ended): ReadonlySet<Digest> {
  const written = [places.status, places.excess, places.refused].map((path) => files.get(path));
  const described = outputs.map((output) => folders.get(outputPlace(output)));
  return new Set([...written, ...described].filter((each) => typeof each === 'string'));
}

function textOf({ files }: Ended, path: string, told: Told): string | undefined {
  const written = files.get(path);
  if (written === undefined) return undefined;
  return Buffer.from(typeof written === 'string' ? told.get(written)! : written).toString();
}

function isWorthAnotherTry(error: unknown): boolean {
  return isPassing(error) && !(error instanceof QueueFull);
}

// What may be over at another time is the step's at another executor; what is wrong with this one is for a person to see.
function failedElsewhere({ name }: BuildRequest, executor: string, cause: ReapiFailure): UserError {
  if (cause instanceof QueueFull)
    return new TurnedAway('EXECUTOR_FULL', `${executor} has no room for ${name}: ${cause.message}`, {
      hint: 'It was asked for as long as is sensible. Try again when it has less to do, send it fewer commands at once (`slots`), or have this machine do some of them, too (`shared`).',
      isDown: false,
      cause,
    });
  const message = `${executor} could not run ${name}: ${cause.message}`;
  const hint =
    'This says nothing about the step. `cairn doctor --executor URL` tells what the server lacks; with `shared` it runs here at such times, without --executor always.';
  if (!isPassing(cause))
    return new UserError('EXECUTOR_FAILED', message, { hint, fault: 'environment', cause });
  const isDown = cause.kind === 'unavailable' && !(cause instanceof ActionFailure);
  return new TurnedAway('EXECUTOR_FAILED', message, { hint, isDown, cause });
}

function statusIn(report: string): number | undefined {
  try {
    return parseReport(report).status;
  } catch (cause) {
    throw new ReapiFailure('wrong', 'the server gave a report of the sandbox that is none', { cause });
  }
}

function timeoutOf({ limits }: BuildRequest): number {
  return limits.timeoutSeconds ?? usualLimits.timeoutSeconds;
}

function excessOf({ limits }: BuildRequest, name: string): FailureReason {
  const { timeoutSeconds, silenceSeconds, logBytes } = { ...usualLimits, ...limits };
  if (name === 'timeout') return { kind: 'timeout', limitSeconds: timeoutSeconds };
  if (name === 'silence') return { kind: 'silence', limitSeconds: silenceSeconds };
  if (name === 'log-size') return { kind: 'log-size', limitBytes: logBytes };
  // Nothing but the name could be written.
  if (name === 'disk-full' || name === '')
    throw new ActionFailure('unavailable', 'the disk of its worker was full while it ran');
  throw new ReapiFailure('wrong', 'the server gave a limit that is none');
}

function logLimitOf({ limits }: BuildRequest): number {
  return limits.logBytes ?? usualLimits.logBytes;
}

function elapsedMs({ startedMs }: Step): number {
  return Math.round(performance.now() - startedMs);
}
