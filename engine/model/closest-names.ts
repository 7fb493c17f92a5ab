// Which known names a misspelt one may have meant. Pure.

/** The names within a third of `name`'s length of it by edits, closest first, at most three. */
export function closestNames(name: string, known: Iterable<string>): string[] {
  const limit = Math.max(1, Math.floor(name.length / 3));
  return [...new Set(known)]
    .map((candidate) => ({ candidate, edits: editDistance(name, candidate) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** The same as the beginning of a hint, with a space after it; '' when there are none. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const closest = closestNames(name, known);
  return closest.length === 0 ? '' : `Did you mean ${closest.join(' or ')}? `;
}

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment distance).
function editDistance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let at = 1; at <= b.length; at++) {
      const replaced = last[at - 1]! + (a[row - 1] === b[at - 1] ? 0 : 1);
      const isSwap = row > 1 && at > 1 && a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1];
      const swapped = isSwap ? before[at - 2]! + 1 : Infinity;
      current.push(Math.min(last[at]! + 1, current[at - 1]! + 1, replaced, swapped));
    }
    [before, last] = [last, current];
  }
  return last[b.length]!;
}
