// From the lock to what a flake's outputs are given, and back from a download to the pin it is. Pure.

import { UserError } from '../../store/base/errors.ts';
import { mapByName, ownMember } from '../../store/base/map-by-name.ts';
import type { InputDeclaration, LockedDeclaration, PinnedFiles } from '../model/flake.ts';
import type { PinOrigin } from '../sources/fetch-request.ts';
import { declarationOf, sameDeclaration } from './declaration.ts';
import type { Lock } from './lock-file.ts';

/** The pins of every input but for those that are folders. @throws UserError `LOCK_MISSING_PIN` when one is not locked as it is declared. */
export function pinsFor(
  lock: Lock,
  inputs: Readonly<Record<string, InputDeclaration>>,
): Readonly<Record<string, PinnedFiles>> {
  return mapByName(
    Object.entries(inputs).flatMap(([name, declared]) => {
      const declaration = declarationOf(name, declared);
      return declaration.kind === 'local' ? [] : [[name, pinsOf(lock, name, declaration)]];
    }),
  );
}

/** Finds the pin a download comes from, by SHA-256, and every input that has it: to move it is to move all of them. */
export function pinOrigins(lock: Lock): (sha256: string) => PinOrigin | undefined {
  const origins = new Map<string, PinOrigin>();
  for (const [input, { pins }] of Object.entries(lock.inputs)) {
    for (const { name, version, sha256 } of pins) {
      const { inputs = [] } = origins.get(sha256) ?? {};
      origins.set(sha256, { inputs: [...new Set([...inputs, input])], name, version });
    }
  }
  return (sha256) => origins.get(sha256);
}

function pinsOf(lock: Lock, name: string, declaration: LockedDeclaration): PinnedFiles {
  const locked = ownMember(lock.inputs, name);
  if (locked !== undefined && sameDeclaration(locked.declaration, declaration)) return locked.pins;
  const problem =
    locked === undefined ? 'is not in the lock file' : 'was declared otherwise when it was locked';
  throw new UserError('LOCK_MISSING_PIN', `input "${name}" ${problem}`, {
    hint: `Run \`cairn lock ${name}\` and review what it writes to flake-like.lock.`,
  });
}
