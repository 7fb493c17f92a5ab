// An object of which each member is made when it is first asked for: so that what nobody needs asks for no pins. Pure.

/** `makers` has a function for each member; it is called once. */
export function lazily<T extends object>(makers: { readonly [K in keyof T]: () => T[K] }): T {
  const made = new Map<string, unknown>();
  const result = {};
  for (const [name, make] of Object.entries<() => unknown>(makers))
    Object.defineProperty(result, name, {
      enumerable: true,
      get: () => {
        if (!made.has(name)) made.set(name, make());
        return made.get(name);
      },
    });
  return result as T;
}
