// A derivation's canonical record with other derivations in the place of its inputs: what it would have been made as. Pure.

import type { CborValue } from '../../store/base/cbor.ts';
import { mapByName } from '../../store/base/map-by-name.ts';
import type { DerivationId } from './encode.ts';

/**
 * The record with every input that has another id by now named by that; undefined when none has.
 *
 * An input is a list of three that starts with an id (`encode.ts`). No other value can be mistaken for one that is renamed: no
 * config knows the id of a derivation.
 */
export function withRenamedInputs(
  record: CborValue,
  renamed: ReadonlyMap<DerivationId, DerivationId>,
): CborValue | undefined {
  let others = 0;
  const rename = (value: CborValue): CborValue => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
    if (!Array.isArray(value)) return renameMembers(value as Members);
    const [first] = value as readonly CborValue[];
    const now = value.length === 3 ? renamed.get(first as DerivationId) : undefined;
    if (now === undefined) return (value as readonly CborValue[]).map(rename);
    others++;
    return [now, ...(value as readonly CborValue[]).slice(1)];
  };
  const renameMembers = (members: Members): CborValue =>
    mapByName(
      Object.entries(members).map(([name, value]) => [name, value === undefined ? value : rename(value)]),
    );
  const result = rename(record);
  return others > 0 ? result : undefined;
}

type Members = { readonly [key: string]: CborValue | undefined };
