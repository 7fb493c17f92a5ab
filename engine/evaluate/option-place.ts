// Where in a config's text an option is written, for messages about it. A search through the text, good for pointing a
// person at a line; knows nothing of syntax.

/** The place of the key that ends `path`, or of as much of it as is found; undefined when its first key is not. */
export function optionPlace(
  source: string,
  path: readonly string[],
): { readonly line: number; readonly column: number } | undefined {
  // An import may have the names that the flake has.
  const start = Math.max(0, source.search(/\bdefineFlake\s*\(/));
  let found: number | undefined;
  for (const key of path) {
    const from = found === undefined ? start : found + 1;
    const at = keyOffset(source, key, from);
    if (at === undefined) break;
    found = at;
  }
  if (found === undefined) return undefined;
  const lines = source.slice(0, found).split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

// A key as it stands in an object literal: before a colon, or alone as a shorthand.
function keyOffset(source: string, key: string, from: number): number | undefined {
  const escaped = key.replace(/[^\w]/g, '\\$&');
  const pattern = new RegExp(`(?<=^|[\\s{,(])['"]?${escaped}['"]?\\s*[:,(}]`, 'g');
  pattern.lastIndex = from;
  return pattern.exec(source)?.index;
}
