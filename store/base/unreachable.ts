// Exhaustiveness: a switch over a closed union ends in `unreachable(value)`.

/** Marks a branch that the type checker has proven empty; reaching it at run time is a bug. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
