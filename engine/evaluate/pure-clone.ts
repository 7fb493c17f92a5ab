// structuredClone for a config: what Node.js gives back are objects of another realm, whose dates and lists still know
// the time zone and the locale. They are made objects of the config's realm.

import { isMap, isSet } from 'node:util/types';

type Constructors = Readonly<Record<string, unknown>>;

/** @param realm the global object of the config's realm */
export function pureClone(realm: object): typeof structuredClone {
  return (value, options) => {
    const clone = structuredClone(value, options) as unknown;
    adopt(clone, realm as Constructors);
    return clone as typeof value;
  };
}

function adopt(root: unknown, realm: Constructors): void {
  const seen = new Set<unknown>();
  const pending = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const member of membersOf(value)) pending.push(member);
    const { constructor } = Object.getPrototypeOf(value) as { constructor: { readonly name: string } };
    const own = realm[constructor.name] as { readonly prototype?: object } | undefined;
    if (own?.prototype !== undefined) Object.setPrototypeOf(value, own.prototype);
  }
}

function* membersOf(value: object): Generator {
  if (isMap(value)) for (const entry of value) yield* entry;
  if (isSet(value)) yield* value;
  if (!ArrayBuffer.isView(value)) yield* Object.values(value);
}
