// Runs requests on this machine, each in a sandbox of its own. Knows nothing of derivations, plans or slots.

import { chmodSync, lstatSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isErrno, UserError } from '../../store/base/errors.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { emptyTree, type Batch, type Node, type Store } from '../../store/index.ts';
import { placeCompileCache, readCounts } from '../compile-cache/place.ts';
import type { FailureReason } from '../events.ts';
import type { Limits } from '../model/derivation.ts';
import { requireSandbox } from '../sandbox/probe.ts';
import { sandboxCommand } from '../sandbox/command.ts';
import type { Jobserver } from '../schedule/jobserver.ts';
import { conditionsFor, type Conditions } from '../sandbox/conditions.ts';
import { keepFailedStep } from '../sandbox/failed-steps.ts';
import { FolderRemover } from '../sandbox/folder-remover.ts';
import { makeGuise, type Guise } from '../sandbox/guise.ts';
import { Launcher } from '../sandbox/launcher.ts';
import { postponed } from './postponed.ts';
import { mountsOf } from '../sandbox/mounts.ts';
import { ReaddirOrder } from '../sandbox/readdir-order.ts';
import { Rigs, type Rig } from '../sandbox/rigs.ts';
import { runSandbox, type SandboxEnd } from '../sandbox/run-sandbox.ts';
import { StepLog } from '../sandbox/step-log.ts';
import type { SandboxTool } from '../sandbox/tool.ts';
import { describeFailure, hintForStart, reasonForStatus, saysDiskFull } from '../sandbox/verdict.ts';
import { writtenElsewhere } from '../sandbox/written-elsewhere.ts';
import { makeWorkFolder, type WorkFolder } from '../sandbox/work-folder.ts';
import { refuseEmpty } from './check-outputs.ts';
import { mayLackRoom, RoomWatch, type RoomSpell } from './disk-room.ts';
import type { BuildRequest, ExecuteOptions, ExecuteResult, Executor } from './executor.ts';

export interface LocalExecutorOptions {
  readonly store: Store;
  readonly tool: SandboxTool;
  /** What running builds share; without it each is told to do one thing at a time. */
  readonly jobs?: Jobserver;
  /** Limits for requests that name none. */
  readonly limits?: Limits;
}

/** An executor for this process. Close it before the store. */
export async function createLocalExecutor(options: LocalExecutorOptions): Promise<Executor> {
  return new SandboxExecutor(options, await options.store.scratch('builds'));
}

/** A request under way. */
interface Step {
  readonly request: BuildRequest;
  readonly options: ExecuteOptions;
  readonly startedMs: number;
  readonly rig: Rig;
  readonly log: StepLog;
  readonly work: WorkFolder;
  readonly room: RoomSpell;
}

type Failed = Extract<ExecuteResult, { kind: 'failed' }>;
type Exited = Extract<SandboxEnd, { kind: 'exited' }>;

const oneJob = { slots: 1 };
/** So long a cancelled command may go on that would leave kept folders half done. */
const graceMs = 10_000;
/** A shell's status for a program that a signal has ended is this, and the signal's number. */
const firstSignalStatus = 128;
/** So many files are named to a person. */
const namedFiles = 5;

class SandboxExecutor implements Executor {
  readonly keepsFolders = true;
  readonly #options: LocalExecutorOptions;
  readonly #scratch: string;
  readonly #launcher = new Launcher();
  readonly #rigs: Rigs;
  /** By how many processors they show. */
  readonly #guises = new Map<number, Guise>();
  readonly #order: ReaddirOrder;
  readonly #remover = new FolderRemover();
  readonly #room: RoomWatch;
  #steps = 0;

  constructor(options: LocalExecutorOptions, scratch: string) {
    this.#options = options;
    this.#scratch = scratch;
    this.#rigs = new Rigs(scratch, options.tool);
    this.#order = new ReaddirOrder(options.store);
    this.#room = new RoomWatch(scratch);
  }

  async execute(request: BuildRequest, options: ExecuteOptions): Promise<ExecuteResult> {
    const rig = await this.#rigs.take();
    try {
      return await this.#whileSharing(rig, options, () => this.#perform(request, options, rig));
    } finally {
      this.#rigs.give(rig);
    }
  }

  // The token that the step's first process works on, and those that make takes, until its outputs are taken.
  async #whileSharing<T>(rig: Rig, { signal, variation }: ExecuteOptions, use: () => Promise<T>): Promise<T> {
    const share = await this.#options.jobs?.join(variation === undefined ? rig.jobserver : undefined, signal);
    try {
      return await use();
    } finally {
      share?.leave();
    }
  }

  async #perform(request: BuildRequest, options: ExecuteOptions, rig: Rig): Promise<ExecuteResult> {
    const step: Step = {
      request,
      options,
      rig,
      startedMs: performance.now(),
      log: new StepLog(join(this.#options.store.path, 'logs'), request.name, options.onOutput),
      work: makeWorkFolder(join(this.#scratch, `step-${this.#steps++}`), request),
      room: this.#room.begin(),
    };
    try {
      const result = await this.#runAndIngest(step);
      if (result.kind === 'cancelled') step.log.remove();
      return result;
    } catch (error) {
      if (isErrno(error, 'ENOSPC', 'EDQUOT')) return this.#fail(step, { kind: 'disk-full' });
      if (isErrno(error, 'E2BIG')) return this.#fail(step, { kind: 'input' }, tooLong(request));
      step.log.remove();
      throw error;
    } finally {
      step.room.end();
      this.#remover.remove(step.work.path);
    }
  }

  buildersCpuMs(): number {
    return this.#launcher.cpuMs();
  }

  async close(): Promise<void> {
    await this.#launcher.close();
    this.#remover.remove(this.#scratch);
    await this.#remover.close();
  }

  async #runAndIngest(step: Step): Promise<ExecuteResult> {
    const end = await this.#runInKept(step);
    switch (end.kind) {
      case 'cancelled':
        return end;
      case 'exceeded':
        return this.#fail(step, end.excess);
      case 'not-started':
        return this.#explain(step);
      case 'exited':
        if (end.status !== 0) return this.#fail(step, reasonForStatus(end.status));
        return step.room.wasScarce() ? this.#failUnbelieved(step) : this.#ingest(step, end);
    }
  }

  // Kept folders take the place of the empty ones, as folders like any other: nothing of it shows.
  async #runInKept(step: Step): Promise<SandboxEnd> {
    const { request, options, work } = step;
    const { kept } = options;
    if (kept === undefined) return this.#run(step);
    const places = (request.incremental?.folders ?? []).map((folder) => join(work.build, folder));
    kept.lend(places);
    // Ended at once, a command that has a few seconds to go would cost the next one all that is kept.
    const late = postponed(options.signal, kept.isPristine || options.signal.aborted ? 0 : graceMs);
    const end = await this.#run(step, late.signal).finally(late.settle);
    await kept.takeBack(places, this.#endOf(step, end));
    return options.signal.aborted ? { kind: 'cancelled' } : end;
  }

  // What a command leaves when it fails by itself follows from its inputs, like what it leaves when it succeeds: an edit that
  // mends it is an edit of what its targets depend on. What is ended from outside, or has no room, follows from nothing.
  #endOf({ log, room }: Step, end: SandboxEnd): 'succeeded' | 'failed' | 'broken' {
    if (end.kind !== 'exited' || end.status >= firstSignalStatus || room.wasScarce()) return 'broken';
    if (end.status === 0) return 'succeeded';
    return saysDiskFull(log.lines()) ? 'broken' : 'failed';
  }

  async #run({ request, options, rig, log, work }: Step, signal = options.signal): Promise<SandboxEnd> {
    const { store, tool, jobs, limits } = this.#options;
    const { variation, kept, compileCache } = options;
    const order = variation?.shuffledReaddir === true ? this.#order : undefined;
    const mounts = await mountsOf(store, request, { order, kept });
    const pool = jobs === undefined ? oneJob : { slots: jobs.slots, jobserver: rig.jobserver };
    const conditions = conditionsFor(pool, variation);
    const guise = this.#guiseFor(conditions);
    const compileCacheMounts =
      compileCache &&
      placeCompileCache(work.compileCache, compileCache, await store.materialise(compileCache.tool));
    const command = sandboxCommand(request, {
      tool,
      mounts,
      scaffold: rig.scaffold,
      guise,
      work,
      conditions,
      changed: kept?.changed && writeChanged(work, kept.changed),
      compileCache: compileCacheMounts,
    });
    return runSandbox(command, {
      launcher: this.#launcher,
      rig,
      filter: guise.filter,
      umask: conditions.umask,
      limits: { ...limits, ...request.limits },
      signal,
      onOutput: (chunk) => log.write(chunk),
    });
  }

  #guiseFor({ processors }: Conditions): Guise {
    const count = processors.length;
    const known = this.#guises.get(count);
    if (known !== undefined) return known;
    const guise = makeGuise(join(this.#scratch, `guise-${count}`), processors);
    this.#guises.set(count, guise);
    return guise;
  }

  async #ingest(step: Step, { cpuMs, peakMemoryBytes }: Exited): Promise<ExecuteResult> {
    const { request, options, log, work } = step;
    const batch = this.#options.store.begin();
    try {
      const outputs = mapByName<Node>();
      // The step may have shut the folder; the ones in it are opened as they are looked into.
      chmodSync(work.outputs, 0o755);
      for (const output of request.outputs)
        outputs[output] = await takeOutput(batch, join(work.outputs, output));
      refuseEmpty(request, outputs, () => this.#writtenElsewhere(step));
      log.close();
      const logDigest = log.sizeBytes > 0 ? await batch.takeFile(log.path, false) : undefined;
      if (!options.signal.aborted) {
        const use = { durationMs: elapsedMs(step), cpuMs, peakMemoryBytes };
        const counts = options.compileCache && readCounts(work.compileCache);
        return {
          kind: 'succeeded',
          ...{ outputs, batch, log: logDigest, use },
          ...(counts !== undefined && { compileCache: counts }),
        };
      }
      await batch.discard();
      return { kind: 'cancelled' };
    } catch (error) {
      await batch.discard();
      if (isStepsDoing(error, work))
        return this.#fail(step, { kind: 'bad-output' }, asStepSaw(unreadable(request, error), work));
      if (!(error instanceof UserError)) throw error;
      if (error.code === 'DISK_FULL') return this.#fail(step, { kind: 'disk-full' });
      if (error.code === 'OUTPUT_INVALID')
        return this.#fail(step, { kind: 'bad-output' }, asStepSaw(error.message, work), error.hint);
      throw error;
    }
  }

  #writtenElsewhere({ work, options }: Step): readonly string[] {
    const { buildFolder } = conditionsFor(oneJob, options.variation);
    return writtenElsewhere(work, buildFolder, namedFiles);
  }

  // Either no sandbox can be set up on this machine, or this one could not: then bubblewrap's last line says why.
  async #explain(step: Step): Promise<ExecuteResult> {
    await requireSandbox({ tool: this.#options.tool, folder: this.#scratch });
    const failed = this.#fail(step, { kind: 'input' });
    const line = failed.logTail.at(-1)?.replace(/^bwrap: /, '') ?? 'bubblewrap did not say why';
    const hint = hintForStart(line);
    return { ...failed, message: `${failed.message}: ${line}`, ...(hint !== undefined && { hint }) };
  }

  #failUnbelieved(step: Step): Failed {
    const message = `${step.request.name} ended with success, but the disk was full meanwhile: what it wrote may be cut short`;
    return this.#fail(step, { kind: 'disk-full' }, message);
  }

  #fail(step: Step, reason: FailureReason, message?: string, hint?: string): Failed {
    const { request, options, log, work, room } = step;
    const logTail = log.keep();
    const isFull =
      reason.kind === 'disk-full' ||
      room.wasScarce() ||
      (saysDiskFull(logTail) && mayLackRoom(this.#scratch));
    const actual: FailureReason = isFull ? { kind: 'disk-full' } : reason;
    // What a full disk needs is room, before the next step looks for it.
    if (isFull) removeTree(work.path);
    return {
      kind: 'failed',
      reason: actual,
      message: message ?? describeFailure(request.name, actual),
      ...(hint !== undefined && !isFull && { hint }),
      logTail,
      logFile: log.path,
      keptFolder: isFull
        ? undefined
        : keepFailedStep(
            this.#options.store.path,
            work,
            { request, variation: options.variation },
            this.#remover,
          ),
      durationMs: elapsedMs(step),
    };
  }
}

// A step may have removed the folder, or put something else in its place.
async function takeOutput(batch: Batch, folder: string): Promise<Node> {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return emptyTree;
  if (stats.isDirectory()) return batch.takeFolder(folder);
  throw new UserError('OUTPUT_INVALID', `output ${basename(folder)} is not a folder any more`, {
    hint: 'A step puts files into $out; it must not replace it.',
  });
}

// A NUL ends each, since no path has one in it.
function writeChanged({ path }: WorkFolder, changed: readonly string[]): string {
  const file = join(path, 'changed');
  writeFileSync(file, changed.map((name) => `${name}\0`).join(''));
  chmodSync(file, 0o444);
  return file;
}

// An error of the system about something the step has left is the step's, however it managed that.
function isStepsDoing(error: unknown, work: WorkFolder): error is NodeJS.ErrnoException {
  const { code, path } = error as NodeJS.ErrnoException;
  return (
    error instanceof Error &&
    typeof code === 'string' &&
    !isErrno(error, 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EIO', 'EROFS') &&
    path?.startsWith(work.outputs) === true
  );
}

function unreadable({ name }: BuildRequest, error: NodeJS.ErrnoException): string {
  return `${name} left an output that cannot be read: ${error.message}`;
}

/** Where outputs lie while they are taken is of no use to anybody: the folder goes. The author knows them as `$out`. */
function asStepSaw(message: string, work: WorkFolder): string {
  return message.replaceAll(`${work.outputs}/`, '$');
}

function tooLong({ name }: BuildRequest): string {
  return `${name} has arguments or variables too long for the kernel; write them to a file and make that an input`;
}

function elapsedMs({ startedMs }: Step): number {
  return Math.round(performance.now() - startedMs);
}
