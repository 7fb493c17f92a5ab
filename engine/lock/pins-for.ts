// From the lock to what a flake's outputs are given, and back from a download to the pin it is. Pure.

import { UserError } from '../../store/base/errors.ts';
import { mapByName, ownMember } from '../../store/base/map-by-name.ts';
import type { InputDeclaration, PinnedFiles } from '../model/flake.ts';
import type { PinOrigin } from '../sources/fetch-request.ts';
import { declarationOf, isLocal, sameDeclaration } from './declaration.ts';
import type { Lock } from './lock-file.ts';

type Inputs = Readonly<Record<string, InputDeclaration>>;

/**
 * The pins of every input but for those that are folders.
 * @throws UserError `LOCK_MISSING_PIN` when one is not locked as it is declared, naming all that are not; `CONFIG_INVALID`.
 */
export function pinsFor(lock: Lock, inputs: Inputs): Readonly<Record<string, PinnedFiles>> {
  const unlocked = unlockedInputs(lock, inputs);
  return mapByName(
    Object.entries(inputs)
      .filter(([, declared]) => !isLocal(declared))
      .map(([name, declared]) => [name, pinsOf(name, declared, { lock, unlocked })]),
  );
}

/**
 * The names of inputs that the lock does not have as they are declared. Folders need no lock, and what is declared as no
 * input can be is told when its pins are asked for.
 */
export function unlockedInputs(lock: Lock, inputs: Inputs): readonly string[] {
  return Object.keys(inputs).filter((name) => {
    try {
      const declaration = declarationOf(name, inputs[name]);
      return declaration.kind !== 'local' && lockedPins(name, declaration, lock) === undefined;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  });
}

/** The pins of one input that is no folder; `unlocked` names all that {@link unlockedInputs} does. @throws as {@link pinsFor} */
export function pinsOf(
  name: string,
  declared: InputDeclaration,
  { lock, unlocked }: { readonly lock: Lock; readonly unlocked: readonly string[] },
): PinnedFiles {
  const pins = lockedPins(name, declarationOf(name, declared), lock);
  if (pins !== undefined) return pins;
  const problem =
    ownMember(lock.inputs, name) === undefined
      ? 'is not in the lock file'
      : 'was declared otherwise when it was locked';
  throw new UserError('LOCK_MISSING_PIN', `input "${name}" ${problem}`, { hint: howToLock(name, unlocked) });
}

/** Finds the pin a download comes from, by SHA-256, and every input that has it: to move it is to move all of them. */
export function pinOrigins(lock: Lock): (sha256: string) => PinOrigin | undefined {
  const origins = new Map<string, PinOrigin>();
  for (const [input, { pins, servedAt }] of Object.entries(lock.inputs)) {
    for (const { name, version, sha256 } of pins) {
      const known = origins.get(sha256);
      const inputs = [...new Set([...(known?.inputs ?? []), input])];
      origins.set(sha256, { inputs, name, version, servedAt: known?.servedAt ?? servedAt });
    }
  }
  return (sha256) => origins.get(sha256);
}

function lockedPins(name: string, declaration: InputDeclaration, lock: Lock): PinnedFiles | undefined {
  const locked = ownMember(lock.inputs, name);
  return locked !== undefined && sameDeclaration(locked.declaration, declaration) ? locked.pins : undefined;
}

const shownNames = 8;

function howToLock(name: string, unlocked: readonly string[]): string {
  const review = 'and review what it writes to flake-like.lock';
  if (unlocked.length <= 1) return `Run \`cairn lock ${name}\` ${review}.`;
  const more = unlocked.length - shownNames;
  const shown = unlocked.slice(0, shownNames).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return `Run \`cairn lock --missing\` ${review}. Of ${shown} it pins what the outputs need, and it moves nothing.`;
}
