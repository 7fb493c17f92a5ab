// What of some steps, and of all they need, is worth bringing to a cache, and bringing it. Only what a clean build here has given
// is signed here; what others made goes on with their signatures (`own-word.ts`). Downloads and what is unpacked of them stay away:
// everybody gets those where they come from. What is wanted by a name is described as well (`push-editions.ts`).

import { createReadStream } from 'node:fs';
import type { Digest } from '../../store/base/digest.ts';
import { UserError } from '../../store/base/errors.ts';
import type { Trust } from '../../store/caches/index.ts';
import type {
  Cache,
  ContentReader,
  Memo,
  Pushed,
  PushedOutput,
  PushedRecord,
  Realisation,
  SigningKey,
  Store,
} from '../../store/index.ts';
import { absentIn } from '../lost-content.ts';
import type { DerivationId } from '../model/encode.ts';
import type { Step, StepSource } from '../step.ts';
import { unprovenSteps } from '../unproven.ts';
import { conflictsIn, type Conflict, type OwnClaim } from './conflicts.ts';
import { isOwn, wordOn } from './own-word.ts';
import { editionsOf } from './push-editions.ts';
import { isWorthMoving } from './worth-moving.ts';

export interface PushContext {
  readonly store: Store;
  readonly steps: StepSource;
  readonly cache: Pick<Cache, 'push'>;
  readonly key: SigningKey;
  readonly signal: AbortSignal;
  /** Of all that is found, only commands and what they are in among these; all that is worth it, when not given. */
  readonly only?: ReadonlySet<DerivationId>;
  /** Where claims are compared with those of here, and whose; nowhere, when not given. */
  readonly against?: { readonly cache: Cache; readonly trust: Trust };
  /** Brings what of these steps' outputs is elsewhere, as far as it is to be had; nothing, when not given. */
  readonly bringLeft?: (ids: readonly DerivationId[]) => Promise<void>;
  /** The names of the config that what is wanted is known by; it is not said of any, when not given. */
  readonly namesOf?: (id: DerivationId) => readonly string[];
  /** True: what is wanted stays here as well when it is sooner made again than moved. */
  readonly judgesWanted?: boolean;
}

export interface PushReport extends Pushed {
  /** Steps whose results are in the cache now. */
  readonly steps: readonly Step[];
  /** Steps that were left out because they, or something below them, were made incrementally and are not proven. */
  readonly unproven: readonly Step[];
  /** Wanted, and not built here, or not whole. */
  readonly absent: readonly Step[];
  /** Sooner made again than moved. */
  readonly cheaper: readonly CheaperStep[];
  /** What trusted others say of the same actions, where that is something else. */
  readonly conflicts: readonly Conflict[];
}

export interface CheaperStep {
  readonly step: Step;
  readonly durationMs: number;
  readonly sizeBytes: number;
}

/** Pushes what these steps gave, and what the commands below them gave. @throws UserError `CACHE_FAILED` */
export async function pushSteps(
  wanted: readonly DerivationId[],
  { store, steps, cache, key, signal, only, judgesWanted = false, against, bringLeft, namesOf }: PushContext,
): Promise<PushReport> {
  const unproven = new Set(unprovenSteps(wanted, steps, store).map(({ id }) => id));
  const closure = closureOf(wanted, steps);
  const [withCommand, tainted] = [
    holding(closure, isCommand),
    holding(closure, ({ id }) => unproven.has(id)),
  ];
  // Whoever names something wants it there, whatever it is made of.
  const isWanted = (id: DerivationId): boolean => only === undefined && wanted.includes(id);
  const isWorthIt = (id: DerivationId): boolean => withCommand.has(id) || isWanted(id);
  const found = closure.flatMap((step): Made[] => {
    if (only?.has(step.id) === false || !isWorthIt(step.id) || tainted.has(step.id)) return [];
    const memo = store.records.memo(step.id);
    const realisation = memo && store.records.realisation(memo.action);
    return memo === undefined || realisation === undefined ? [] : [{ step, memo, realisation }];
  });
  const isNamed = ({ step }: Made): boolean => !judgesWanted && isWanted(step.id);
  const worth = found.filter((one) => isNamed(one) || isWorthMoving(one.realisation));
  await store.use(worth.map(({ step }) => step.id));
  await bringLeft?.(worth.map(({ step }) => step.id));
  const made = worth.filter(({ memo }) => absentIn([memo.outputs], store).size === 0);
  const there = new Set(made.map(({ step }) => step.id));
  const ownClaims = made.map(({ step, realisation: { claim } }) => ({ step, claim }));
  const conflicts = against ? await conflictsBefore(ownClaims, { ...against, store, signal }) : [];
  // Also of what is sooner made again than moved: it is made of what is there.
  const named = found.filter(({ step }) => isWanted(step.id));
  const editions = editionsOf(
    named
      .map((one) => ({ ...one, names: namesOf?.(one.step.id) ?? [] }))
      .filter(({ names }) => names.length > 0),
    { store, key, closureOf: (id) => closureOf([id], steps) },
  );
  const relying = holding(closure, (step) => !isOwn(step, store));
  const recordsOf = ({ step, ...made }: Made): PushedRecord[] =>
    wordOn(step, { ...made, relies: relying.has(step.id) }, { store, key });
  const pushed = await cache.push(
    {
      outputs: [...made.flatMap(outputsOf), ...editions.outputs],
      records: [...made.flatMap(recordsOf), ...editions.records],
      from: editions.from(readerOf(store)),
    },
    signal,
  );
  const wantedSteps = wanted.map(steps);
  const cheaper = found.filter((one) => !worth.includes(one));
  return {
    ...pushed,
    steps: made.map(({ step }) => step),
    unproven: wantedSteps.filter(({ id }) => tainted.has(id)),
    absent: wantedSteps.filter(({ id }) => !tainted.has(id) && !there.has(id) && !isIn(cheaper, id)),
    cheaper: cheaper.map(cheaperStep),
    conflicts,
  };
}

function isIn(made: readonly Made[], id: DerivationId): boolean {
  return made.some(({ step }) => step.id === id);
}

interface Made {
  readonly step: Step;
  readonly memo: Memo;
  readonly realisation: Realisation;
}

// A cache that cannot be asked says so when it is pushed to.
async function conflictsBefore(
  own: readonly OwnClaim[],
  context: Parameters<typeof conflictsIn>[1],
): Promise<Conflict[]> {
  try {
    return await conflictsIn(own, context);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof UserError) throw error;
    return [];
  }
}

function cheaperStep({ step, realisation: { facts } }: Made): CheaperStep {
  return { step, durationMs: facts.durationMs, sizeBytes: facts.sizeBytes ?? 0 };
}

function outputsOf({ step, memo }: Made): PushedOutput[] {
  return Object.entries(memo.outputs).flatMap(([output, top]) =>
    top.kind === 'symlink' ? [] : [{ top, name: `${step.derivation.name} ${output}` }],
  );
}

/** A store, as caches read from it. */
export function readerOf({ blobs, trees }: Store): ContentReader {
  return {
    directory: (digest: Digest) => trees.get(digest),
    read: (digest) => blobs.read(digest),
    async *stream(digest) {
      const path = await blobs.verified(digest);
      yield* createReadStream(path, { highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>;
    },
  };
}

// Inputs before what needs them.
function closureOf(wanted: readonly DerivationId[], steps: StepSource): Step[] {
  const order: Step[] = [];
  const done = new Set<DerivationId>();
  const stack = [...wanted];
  while (stack.length > 0) {
    const step = steps(stack.at(-1)!);
    const open = step.inputIds.filter((id) => !done.has(id));
    if (open.length > 0) stack.push(...open);
    else {
      stack.pop();
      if (!done.has(step.id)) order.push(step);
      done.add(step.id);
    }
  }
  return order;
}

function isCommand({ derivation }: Step): boolean {
  return derivation.kind === 'run';
}

/** Steps that are so, or have such a step below them. */
function holding(closure: readonly Step[], is: (step: Step) => boolean): ReadonlySet<DerivationId> {
  const found = new Set<DerivationId>();
  for (const step of closure) if (is(step) || step.inputIds.some((id) => found.has(id))) found.add(step.id);
  return found;
}
