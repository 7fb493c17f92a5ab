// Objects whose keys come from outside: names of files, variables, outputs, inputs. Without a prototype, so that
// `__proto__`, `constructor` and `toString` are names like any others. Pure.

/** A map with these entries; of two with one name, the later counts. */
export function mapByName<T>(entries: Iterable<readonly [name: string, value: T]> = []): Record<string, T> {
  // Object.create(null) would be a hash table from the start, of ten times the size for the few keys that most have.
  const map = Object.setPrototypeOf({}, null) as Record<string, T>;
  for (const [name, value] of entries) map[name] = value;
  return map;
}

/** A member of an object that may have a prototype: undefined unless it is the object's own. */
export function ownMember<T>(map: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}
