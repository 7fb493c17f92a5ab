// Two texts as the lines that differ, with a little around them. Pure.

/** Lines that stay the same around a change. */
const contextLines = 1;
const mostLines = 40;

/**
 * The part in which the texts differ: `-` before lines only the old one has, `+` before the new one's, a blank before
 * what both have. Cut off with a count when it is long.
 */
export function lineChanges(before: string, after: string): string[] {
  const [old, young] = [before.split('\n'), after.split('\n')];
  const start = commonStart(old, young);
  const end = commonStart(old.slice(start).reverse(), young.slice(start).reverse());
  const lines = [
    ...old.slice(Math.max(0, start - contextLines), start).map((line) => `  ${line}`),
    ...old.slice(start, old.length - end).map((line) => `- ${line}`),
    ...young.slice(start, young.length - end).map((line) => `+ ${line}`),
    ...young.slice(young.length - end, young.length - end + contextLines).map((line) => `  ${line}`),
  ];
  return lines.length <= mostLines
    ? lines
    : [...lines.slice(0, mostLines), `  … and ${lines.length - mostLines} more lines`];
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((line, at) => line !== b[at]);
  return differs < 0 ? a.length : differs;
}
