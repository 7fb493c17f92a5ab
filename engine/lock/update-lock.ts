// `cairn lock`: the one place that looks for newer versions. Gives the new lock as a value; whoever asked writes it.
// Knows each kind of input's way to its pins by name only.

import { UserError } from '../../store/base/errors.ts';
import { mapByName, ownMember } from '../../store/base/map-by-name.ts';
import type { Emit } from '../events.ts';
import { didYouMean } from '../model/closest-names.ts';
import type { Flake, LockedDeclaration, PinnedFiles } from '../model/flake.ts';
import { openMirrors, type Mirrors } from '../sources/mirrors.ts';
import type { Patience } from '../sources/transfer.ts';
import { DebianArchive } from './debian-archive.ts';
import { pinPackages, refuseConflicts } from './debian-closure.ts';
import { pinSource } from './debian-source.ts';
import { declarationOf, sameDeclaration } from './declaration.ts';
import { changesBetween, olderVersions, withFurtherUrls, type LockChange } from './lock-changes.ts';
import { lockablePins, formatLock, parseLock, type Lock, type LockedInput } from './lock-file.ts';
import { unlockedInputs } from './pins-for.ts';
import { pinUrl } from './pin-url.ts';
import { pinServed } from './pin-served.ts';
import { ServedFiles } from './served-files.ts';

export interface UpdateLockOptions {
  readonly flake: Pick<Flake, 'inputs' | 'mirrors'> & {
    /** Where the config declares each, for messages. */
    readonly inputPlaces?: Readonly<Record<string, string>>;
  };
  readonly lock: Lock;
  /** Inputs to look at; without it, all of them, and inputs the flake no longer has are dropped. */
  readonly names?: readonly string[];
  /** Only those that the lock does not have as they are declared: all other pins stay where they are. */
  readonly missingAlone?: boolean;
  /** The lock inside cairn's own package: inputs of it that the flake has too, and has not locked, need no network. */
  readonly shipped?: Lock;
  /**
   * Which inputs are made use of where that is the lock, if that can be known. What cairn ships and nobody needs is not added,
   * unless it is named: it is there to be had without a network as soon as somebody does.
   */
  readonly neededWith?: (lock: Lock) => Promise<ReadonlySet<string> | undefined>;
  readonly signal: AbortSignal;
  readonly emit: Emit;
  /** Where downloads come from; by default the flake's mirrors, the environment and the machine's own. */
  readonly mirrors?: Mirrors;
  /** Armored keys that may sign a Debian release; by default Debian's. */
  readonly archiveKeys?: readonly string[];
  readonly patience?: Partial<Patience>;
}

export interface LockUpdate {
  readonly lock: Lock;
  readonly changes: readonly LockChange[];
}

/**
 * Finds the current version of each input. All or nothing: an error leaves nothing half done.
 * @throws UserError `LOCK_SIGNATURE`, `FETCH_FAILED`, `FETCH_PIN_GONE`, `CONFIG_INVALID` (an input that Debian does not have), `USAGE`
 * (a name that is not an input, or that of a folder).
 */
export async function updateLock(options: UpdateLockOptions): Promise<LockUpdate> {
  const { flake, lock, names, missingAlone = false } = options;
  const unknown = names?.find((name) => !Object.hasOwn(flake.inputs, name));
  if (unknown !== undefined) throw unknownInput(unknown, flake);
  const inputs: Record<string, LockedInput> = mapByName(
    names === undefined && !missingAlone ? [] : Object.entries(lock.inputs),
  );
  const unlocked = missingAlone ? unlockedInputs(lock, flake.inputs) : [];
  const updater = new Updater(options);
  for (const name of names ?? Object.keys(flake.inputs)) {
    options.signal.throwIfAborted();
    await placed(ownMember(flake.inputPlaces ?? {}, name), async () => {
      const declaration = declarationOf(name, flake.inputs[name]);
      if (missingAlone && !unlocked.includes(name)) return;
      if (declaration.kind !== 'local') inputs[name] = await updater.lockInput(name, declaration);
      else if (names !== undefined) throw nothingToLock(name, declaration.path);
    });
  }
  const kept = names === undefined ? await withoutSpare(inputs, options) : inputs;
  const updated = parseLock(formatLock({ version: 1, inputs: kept }), 'flake-like.lock');
  return { lock: updated, changes: changesBetween(lock, updated) };
}

/** What goes wrong with one input is told with the place where it is declared. */
async function placed(where: string | undefined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UserError && where !== undefined) error.where ??= where;
    throw error;
  }
}

async function withoutSpare(
  inputs: Lock['inputs'],
  { lock, shipped, neededWith }: UpdateLockOptions,
): Promise<Lock['inputs']> {
  const spare = Object.keys(inputs).filter(
    (name) => inputOf(lock, name) === undefined && inputOf(shipped, name) === inputs[name],
  );
  if (spare.length === 0) return inputs;
  const needed = await neededWith?.({ version: 1, inputs });
  if (needed === undefined) return inputs;
  return mapByName(Object.entries(inputs).filter(([name]) => !spare.includes(name) || needed.has(name)));
}

class Updater {
  readonly #options: UpdateLockOptions;
  readonly #mirrors: Mirrors;
  readonly #archive: DebianArchive;
  readonly #served: ServedFiles;

  constructor(options: UpdateLockOptions) {
    const { flake, signal, patience, archiveKeys } = options;
    const onDownload = (what: string) => this.#notice(`reading Debian's ${what}`);
    this.#options = options;
    this.#mirrors = options.mirrors ?? openMirrors({ configured: flake.mirrors });
    const onNotice = (message: string) => this.#notice(message);
    this.#served = new ServedFiles({ mirrors: this.#mirrors, signal, onNotice });
    this.#archive = new DebianArchive({
      mirrors: this.#mirrors,
      signal,
      patience,
      keys: archiveKeys,
      onDownload,
      onNotice,
    });
  }

  async lockInput(name: string, declaration: LockedDeclaration): Promise<LockedInput> {
    const { lock, shipped, names, missingAlone = false } = this.#options;
    const locked = inputOf(lock, name);
    const isLocked = locked !== undefined && sameDeclaration(locked.declaration, declaration);
    const given = inputOf(shipped, name);
    const isGiven = given !== undefined && sameDeclaration(given.declaration, declaration);
    if (isGiven && !isLocked && (names === undefined || missingAlone)) return given;
    const before = locked?.pins ?? [];
    const found = lockablePins(name, await this.#pin(name, declaration, { before, isLocked }));
    for (const warning of olderVersions(before, found)) this.#notice(`${name}: ${warning}`);
    const mayKeepUrls = isLocked || declaration.kind !== 'url';
    const pins = mayKeepUrls ? withFurtherUrls(found, before) : found;
    const servedAt = servedAtOf(declaration, pins, locked);
    return { declaration, ...(servedAt !== undefined && { servedAt }), pins };
  }

  async #pin(
    name: string,
    declaration: LockedDeclaration,
    { before, isLocked }: { readonly before: PinnedFiles; readonly isLocked: boolean },
  ): Promise<PinnedFiles> {
    const onNotice = (message: string): void => this.#notice(message);
    const serving = { input: name, locked: isLocked ? before : [], served: this.#served, onNotice };
    switch (declaration.kind) {
      case 'debian-source': {
        const indices = await this.#archive.sources(declaration);
        return pinServed((gone) => [pinSource(declaration, indices, gone)], serving);
      }
      case 'debian-packages': {
        const packages = await this.#archive.packages(declaration);
        const pins = await pinServed((gone) => pinPackages(declaration, packages.without(gone)), serving);
        refuseConflicts(declaration, pins, packages);
        return pins;
      }
      case 'url': {
        const { signal, patience } = this.#options;
        const options = { mirrors: this.#mirrors, before: before[0], onNotice, signal, patience };
        return [await pinUrl(name, declaration, options)];
      }
    }
  }

  #notice(message: string): void {
    this.#options.emit({ type: 'notice', message, step: undefined });
  }
}

// The same files keep their day, so that a lock in which nothing moved is the same text. What is declared as a snapshot comes
// from a place that keeps files for good.
function servedAtOf(
  declaration: LockedDeclaration,
  pins: PinnedFiles,
  before: LockedInput | undefined,
): string | undefined {
  if (declaration.kind === 'url' || declaration.snapshot === true) return undefined;
  const known = new Set(before?.pins.map(({ sha256 }) => sha256));
  if (before?.servedAt !== undefined && pins.every(({ sha256 }) => known.has(sha256))) return before.servedAt;
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

function inputOf(lock: Lock | undefined, name: string): LockedInput | undefined {
  return lock === undefined ? undefined : ownMember(lock.inputs, name);
}

function nothingToLock(name: string, path: string): UserError {
  return new UserError('USAGE', `input "${name}" is the folder ${path}: nothing of it is locked`, {
    hint: 'Its content counts as it is whenever something is built from it.',
  });
}

function unknownInput(name: string, { inputs }: Pick<Flake, 'inputs'>): UserError {
  return new UserError('USAGE', `the flake has no input "${name}"`, {
    hint: `${didYouMean(name, Object.keys(inputs))}It has ${Object.keys(inputs).sort().join(', ') || 'none'}.`,
  });
}
