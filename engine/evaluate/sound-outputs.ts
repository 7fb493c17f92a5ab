// Sets outputs aside that cannot be made because of something below them, so that the others can. One search through all of
// them finds that there is something; only then is each looked at on its own.

import { UserError } from '../../store/base/errors.ts';
import type { Derivation, Local, Target } from '../model/derivation.ts';
import { topsOf, type FlakeOutputs } from './call-flake.ts';
import type { BrokenOutput } from './evaluation.ts';
import { closureOf, localsOf } from './identify.ts';
import type { NamedOutput } from './outputs-context.ts';

/** Outputs with all they need. */
export interface Sound {
  readonly given: FlakeOutputs;
  readonly closure: readonly Derivation[];
}

/**
 * Without those whose steps need each other, or have one that was not made by the model's functions.
 * @throws UserError when that is so of the sandbox.
 */
export function withoutTangled(given: FlakeOutputs): Sound {
  const all = closureOrError(topsOf(given));
  if (!(all instanceof UserError)) return { given, closure: all };
  return withoutFaulty(given, (derivation) => {
    const closure = closureOrError([derivation]);
    return closure instanceof UserError ? closure : undefined;
  });
}

function closureOrError(tops: readonly Derivation[]): readonly Derivation[] | UserError {
  try {
    return closureOf(tops);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** Without those that need a folder of this machine that cannot be read. @throws UserError when the sandbox does. */
export function withoutUnreadable(sound: Sound, errors: ReadonlyMap<Local, UserError>): Sound {
  if (errors.size === 0) return sound;
  const unreadable = (derivation: Derivation): UserError | undefined =>
    localsOf(closureOf([derivation])).flatMap((local) => errors.get(local) ?? [])[0];
  return withoutFaulty(sound.given, unreadable);
}

function withoutFaulty(
  given: FlakeOutputs,
  faultOf: (derivation: Derivation) => UserError | undefined,
): Sound {
  const sandboxFault = given.sandbox && faultOf(given.sandbox);
  if (sandboxFault !== undefined) throw sandboxFault;
  const outputs = new Map<Target, readonly NamedOutput[]>();
  const broken: BrokenOutput[] = [...given.broken];
  for (const [target, named] of given.outputs) {
    const sound = named.filter(({ name, derivation, description }) => {
      const error = faultOf(derivation);
      if (error !== undefined) broken.push({ name, target, description, error });
      return error === undefined;
    });
    outputs.set(target, sound);
  }
  const rest = { ...given, outputs, broken };
  return { given: rest, closure: closureOf(topsOf(rest)) };
}
