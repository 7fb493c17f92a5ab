// Does one resolved step, whatever its kind, and records what came of it. Knows nothing of order, slots or plans.

import { bug, UserError } from '../../store/base/errors.ts';
import type { Digest } from '../../store/base/digest.ts';
import {
  MissingBlob,
  claimFormat,
  isProven,
  sameNode,
  type Batch,
  type DoneElsewhere,
  type HeldLock,
  type Kept,
  type Node,
  type RecordWriter,
  type Store,
} from '../../store/index.ts';
import { filesSize } from '../content-below.ts';
import type { Emit, Outcome, Outputs } from '../events.ts';
import type { CompileCacheCounts } from '../compile-cache/counts.ts';
import type { BuildRequest, CompileCacheUse, Executor, ResourceUse } from '../execute/executor.ts';
import type { RemoteRun } from '../execute/remote-run.ts';
import { TurnedAway } from '../execute/turned-away.ts';
import { failedBecause } from '../failure.ts';
import type { Derivation, Fetch, Local, Run, Unpack } from '../model/derivation.ts';
import type { DerivationId } from '../model/encode.ts';
import { revisions } from '../model/revisions.ts';
import { resolveStep, type Lookup, type ResolvedStep } from '../plan/resolve.ts';
import type { PoolName } from '../schedule/slots.ts';
import type { Busy, StepSlot } from '../schedule/step-work.ts';
import { stepRef, type Step } from '../step.ts';
import { disown, disowned } from '../disown.ts';
import { runFailure } from './run-failure.ts';
import { takeCompileCache } from './take-compile-cache.ts';
import { takeKept } from './take-kept.ts';
import { composeTrees, writeTree } from './compose.ts';

/** What is done in kept folders, or with a compile cache. */
type KeptContext = PerformContext & {
  readonly kept?: Kept | undefined;
  readonly compileCache?: CompileCacheUse | undefined;
};

/** What doing a step needs from outside. */
export interface PerformContext {
  readonly store: Store;
  readonly emit: Emit;
  /** Told when the step's work begins. */
  readonly onStart: (step: Step) => void;
  readonly signal: AbortSignal;
  /** Who builds, as realisations record it. */
  readonly builder: string;
  /** Outputs that make doing the step needless, asked again once its lock is held. */
  readonly realised: (resolved: ResolvedStep) => Outputs | undefined;
  readonly fetch: (derivation: Fetch, options: FetchContext) => Promise<Digest>;
  readonly unpack: (derivation: Unpack, archive: Digest, options: UnpackContext) => Promise<Node>;
  readonly executor: (pool: PoolName) => Promise<Executor>;
  /** True for a step whose files are needed here as soon as it is done. */
  readonly bringsFiles: (step: Step) => boolean;
  /** True for a step that is to be done in the folders kept for its lineage, if it has some. */
  readonly isIncremental: (step: Step) => boolean;
  /** How large the compile caches of all steps may be, for a step that may use its own; 0 for one that may not. */
  readonly compileCacheBytes: (step: Step) => number;
}

export interface FetchContext {
  readonly batch: Batch;
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number, totalBytes: number | undefined) => void;
}

export interface UnpackContext {
  readonly batch: Batch;
  readonly signal: AbortSignal;
}

/** Content that was made but is not committed yet. */
interface Made {
  readonly kind: 'made';
  readonly batch: Batch;
  readonly outputs: Outputs;
  readonly log: Digest | undefined;
  readonly use: ResourceUse;
  /** In folders that an earlier build had left. */
  readonly incremental?: boolean | undefined;
  readonly compileCache?: CompileCacheCounts | undefined;
  readonly remote?: RemoteRun | undefined;
}

/**
 * Does the step, unless another process has done it meanwhile or is at it. Failures are outcomes.
 * @throws MissingBlob when an input's content is not in the store; TurnedAway when another executor may have it.
 */
export async function performStep(
  resolved: ResolvedStep,
  slot: StepSlot,
  context: PerformContext,
): Promise<Outcome | Busy> {
  const { step } = resolved;
  const started = performance.now();
  try {
    if (isInstant(step)) return await makeAndRecord(resolved, slot, context);
    const lock = await context.store.locks.tryAcquire(`build:${resolved.action}`);
    if (lock.kind === 'held') return busy(step, lock, context);
    try {
      const outputs = context.realised(resolved);
      return outputs === undefined ? await makeInKept(resolved, slot, context) : { kind: 'reused', outputs };
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (error instanceof MissingBlob) throw error;
    if (context.signal.aborted) return { kind: 'cancelled' };
    if (error instanceof TurnedAway) throw error;
    return failedBecause(error, performance.now() - started);
  }
}

function busy(step: Step, lock: HeldLock, { emit }: PerformContext): Busy {
  emit({ type: 'step-waiting', step: stepRef(step), holder: lock.holder });
  return { kind: 'busy', freed: (signal) => lock.freed(signal) };
}

// Somebody who builds another version in the same folders is waited for, like somebody who does the same step.
async function makeInKept(
  resolved: ResolvedStep,
  slot: StepSlot,
  context: PerformContext,
): Promise<Outcome | Busy> {
  const { step } = resolved;
  const { store } = context;
  const isIncremental = context.isIncremental(step);
  const compileCacheBytes = context.compileCacheBytes(step);
  if (!isIncremental && compileCacheBytes === 0) return makeAndRecord(resolved, slot, context);
  if (!(await context.executor(slot.pool)).keepsFolders) return makeAndRecord(resolved, slot, context);
  const kept = isIncremental ? await takeKept(resolved, store) : undefined;
  if (kept?.kind === 'held') return busy(step, kept, context);
  try {
    const cache = await takeCompileCache(resolved, store, compileCacheBytes);
    try {
      return await makeAndRecord(resolved, slot, { ...context, kept, compileCache: cache?.use });
    } finally {
      await cache?.release();
    }
  } finally {
    await kept?.release();
  }
}

/** The request for a step that runs a command, all of whose inputs have outputs. */
export function requestOf(
  step: Step,
  outputsOf: (id: DerivationId) => Outputs,
  lookup: Lookup,
): BuildRequest {
  const { derivation } = step;
  if (derivation.kind !== 'run') bug(`${derivation.name} runs no command`);
  return buildRequest(derivation, resolveStep(step, outputsOf, lookup).nodes);
}

// The request that an executor gets for a resolved `run` step.
function buildRequest(derivation: Run, nodes: ResolvedStep['nodes']): BuildRequest {
  const inputs = Object.entries(derivation.inputs).map(([path, input]) => ({
    path,
    node: nodes.get(input)!,
  }));
  return {
    name: derivation.name,
    platform: derivation.platform,
    layers: derivation.layers.map((input) => treeDigest(derivation.name, nodes.get(input)!)),
    inputs: inputs.sort((a, b) => (a.path < b.path ? -1 : 1)),
    env: derivation.env,
    argv: derivation.argv,
    outputs: derivation.outputs,
    mayBeEmpty: derivation.mayBeEmpty,
    limits: derivation.limits,
    ...(derivation.incremental !== undefined && { incremental: derivation.incremental }),
  };
}

// Steps on Merkle nodes take microseconds: doing one twice is cheaper than a lock.
function isInstant(step: Step): boolean {
  return (
    step.derivation.kind === 'compose' || step.derivation.kind === 'write' || step.derivation.kind === 'local'
  );
}

async function makeAndRecord(resolved: ResolvedStep, slot: StepSlot, context: KeptContext): Promise<Outcome> {
  context.onStart(resolved.step);
  const made = await make(resolved, slot, context);
  slot.workIsDone();
  if (made.kind !== 'made') return made;
  try {
    await noticeConflict(resolved, made, context);
    await made.batch.commit((records) => record(records, resolved, made, builderOf(made, context)));
  } finally {
    await made.batch.discard();
  }
  return {
    kind: 'built',
    outputs: made.outputs,
    durationMs: made.use.durationMs,
    log: made.log,
    incremental: made.incremental,
    compileCache: made.compileCache,
    remote: made.remote,
  };
}

async function make(
  resolved: ResolvedStep,
  { pool }: StepSlot,
  context: KeptContext,
): Promise<Made | Outcome> {
  if (context.signal.aborted) return { kind: 'cancelled' };
  const { derivation } = resolved.step;
  if (derivation.kind === 'run')
    return execute(derivation, resolved, { executor: await context.executor(pool), context });
  const started = performance.now();
  const batch = context.store.begin();
  try {
    const out = await makeNode(derivation, resolved, { batch, context });
    const durationMs = performance.now() - started;
    const use = { durationMs, cpuMs: undefined, peakMemoryBytes: undefined };
    return { kind: 'made', batch, outputs: { out }, log: undefined, use };
  } catch (error) {
    await batch.discard();
    throw error;
  }
}

async function makeNode(
  derivation: Exclude<Derivation, Run>,
  { step, nodes }: ResolvedStep,
  { batch, context }: { readonly batch: Batch; readonly context: PerformContext },
): Promise<Node> {
  switch (derivation.kind) {
    case 'fetch':
      return { kind: 'blob', digest: await fetchBlob(step, derivation, batch, context), executable: false };
    case 'unpack':
      return context.unpack(derivation, blobDigest(derivation.name, nodes.get(derivation.archive)!), {
        batch,
        signal: context.signal,
      });
    case 'compose':
      return composeTrees(derivation, (part) => nodes.get(part.input)!, batch);
    case 'write':
      return writeTree(derivation, batch);
    case 'local':
      return importLocal(step, derivation, context);
  }
}

async function fetchBlob(
  step: Step,
  derivation: Fetch,
  batch: Batch,
  context: PerformContext,
): Promise<Digest> {
  const ref = stepRef(step);
  return context.fetch(derivation, {
    batch,
    signal: context.signal,
    onProgress: (doneBytes, totalBytes) =>
      context.emit({ type: 'step-progress', step: ref, doneBytes, totalBytes }),
  });
}

// Reached when a folder's imported content is not recorded, or got lost: its id says what it must still hold.
async function importLocal(step: Step, { path, exclude }: Local, context: PerformContext): Promise<Node> {
  const { node } = await context.store.importFolder(path, { exclude, signal: context.signal });
  if (step.content === undefined || node.digest === step.content) return node;
  throw new UserError('SOURCE_UNREADABLE', `${path} changed while it was being built from`, {
    hint: 'Run the command again: it starts from what the folder holds then.',
  });
}

async function execute(
  derivation: Run,
  resolved: ResolvedStep,
  { executor, context }: { readonly executor: Executor; readonly context: KeptContext },
): Promise<Made | Outcome> {
  const { kept, compileCache } = context;
  const ref = stepRef(resolved.step);
  const result = await executor.execute(buildRequest(derivation, resolved.nodes), {
    signal: context.signal,
    onOutput: (text) => context.emit({ type: 'step-output', step: ref, text }),
    bringsFiles: context.bringsFiles(resolved.step),
    ...(kept !== undefined && { kept }),
    ...(compileCache !== undefined && { compileCache }),
  });
  switch (result.kind) {
    case 'succeeded':
      return { ...result, kind: 'made', incremental: kept?.isPristine === false };
    case 'cancelled':
      return result;
    case 'failed':
      return runFailure(resolved.step, result);
  }
}

function record(records: RecordWriter, { step, action }: ResolvedStep, made: Made, builder: string): void {
  const { name, kind } = step.derivation;
  const { batch, outputs, use, log } = made;
  // On Merkle nodes work is proportional to what changes, and so it stays.
  const isOnNodes = kind === 'compose' || kind === 'write';
  const sizeBytes = isOnNodes
    ? undefined
    : filesSize(Object.values(outputs), (digest) => batch.directory(digest));
  records.putRealisation({
    claim: { format: claimFormat, action, outputs, revision: revisions[kind] },
    facts: {
      ...{ name, builder, ...use, sizeBytes, builtAtMs: Date.now(), log },
      incremental: isUnproven(made),
      elsewhere: made.remote && withoutLeft(made.remote),
    },
  });
  records.putMemo({ derivation: step.id, action, outputs });
  records.putLineage(step.lineage, { derivation: step.id, action });
  records.putDuration(step.lineage, use.durationMs);
}

// What stayed there is noted of each file, and changes.
function withoutLeft({ executor, worker, ...times }: RemoteRun): DoneElsewhere {
  const { queuedMs, fetchedMs, executedMs, uploadedMs } = times;
  return { executor, worker, queuedMs, fetchedMs, executedMs, uploadedMs };
}

// Who it was, as far as that is known.
function builderOf({ remote }: Made, { builder }: PerformContext): string {
  return remote === undefined ? builder : [remote.worker, remote.executor].filter(Boolean).join(' at ');
}

// The same action gave something else before: worth a line, because a cache cannot promise what a build does not keep.
async function noticeConflict(
  { step, action }: ResolvedStep,
  made: Made,
  { store, emit }: PerformContext,
): Promise<void> {
  const realisation = store.records.realisation(action);
  if (realisation === undefined) return;
  const { outputs } = made;
  const before = realisation.claim.outputs;
  const changed = Object.keys(outputs).filter(
    (name) => before[name] !== undefined && !sameNode(before[name], outputs[name]!),
  );
  if (changed.length === 0) return;
  const name = step.derivation.name;
  const [a, b] = [before[changed[0]!]!, outputs[changed[0]!]!];
  const compared =
    digestIn(a) && digestIn(b) ? `; \`cairn diff ${digestIn(a)} ${digestIn(b)}\` shows where` : '';
  if (!isUnproven(made) && !isProven(realisation)) {
    await disown(step, action, store);
    emit({ type: 'notice', step: stepRef(step), message: `${disowned(name, changed)}${compared}` });
    return;
  }
  const message = `${name} is not reproducible: built before, it gave another ${changed.join(', ')}${compared}`;
  emit({ type: 'notice', step: stepRef(step), message });
}

// With a compile cache even the first build is no clean one: its compilers were called in another way.
function isUnproven({ incremental, compileCache }: Made): boolean {
  return incremental === true || compileCache !== undefined;
}

function digestIn(node: Node): Digest | undefined {
  return node.kind === 'symlink' ? undefined : node.digest;
}

function treeDigest(name: string, node: Node): Digest {
  if (node.kind === 'tree') return node.digest;
  throw new UserError('DERIVATION_INVALID', `${name}: a layer is a ${node.kind}, not a tree`, {
    hint: 'Layers are stacked into the root and must be folders; give a single file with `inputs` instead.',
  });
}

function blobDigest(name: string, node: Node): Digest {
  if (node.kind === 'blob') return node.digest;
  throw new UserError('DERIVATION_INVALID', `${name}: the archive to unpack is a ${node.kind}, not a file`, {
    hint: 'Pass a fetch derivation, or narrow the input to a file with from(…, { subpath }).',
  });
}
