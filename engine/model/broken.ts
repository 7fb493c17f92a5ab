// What could not be made while a config is evaluated. It stands where the derivation or the pin would, so that only the
// outputs that need it fail. Nothing can be asked of it but why it is broken: whatever else is, raises that error there and
// then, so that nothing is ever made of what is not known. Pure.

import type { UserError } from '../../store/base/errors.ts';

/** Known in every realm: a config may have loaded this file anew. */
const reason = Symbol.for('cairn.broken');

/** Stands for a value that could not be made. It may be asked for its `name`, where it has got that far. */
export function broken(error: UserError, name?: unknown): object {
  const known = Object.freeze({ [reason]: error, ...(typeof name === 'string' && { name }) });
  const raise = (): never => {
    throw error;
  };
  return new Proxy<object>(known, {
    get: (target, key) =>
      typeof key === 'symbol' || Object.hasOwn(target, key)
        ? (target as Record<string | symbol, unknown>)[key]
        : raise(),
    has: raise,
    ownKeys: raise,
  });
}

/** Why a value is broken; undefined for anything that is not. */
export function reasonOf(value: unknown): UserError | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as { readonly [reason]?: UserError })[reason];
}

/** What can be done with a list without knowing how long it is. */
const toTheSame = new Set(['filter', 'flatMap', 'map', 'slice']);
const toOne = new Set(['at', 'find', 'findLast']);

/** Stands for a list, of pins above all, each of whose members, however many they were, is broken. */
export function brokenList(error: UserError): readonly object[] {
  const member = broken(error);
  const list: readonly object[] = new Proxy<readonly object[]>([], {
    get(_, key) {
      if (key === Symbol.iterator) return () => [member].values();
      if (typeof key === 'symbol') return undefined;
      if (/^\d+$/.test(key)) return member;
      if (toTheSame.has(key)) return () => list;
      if (toOne.has(key)) return () => member;
      throw error;
    },
  });
  return list;
}
