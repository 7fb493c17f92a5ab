// A command as a shell takes it apart, as far as makefiles write commands: words, quotes and backslashes. Nothing is
// expanded.

/** @throws Error for a quote that nothing ends */
export function shellWords(command: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [part] of command.matchAll(/\s+|'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\]+|./gs)) {
    if (/^\s/.test(part)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + withoutQuotes(part);
  }
  return word === undefined ? words : [...words, word];
}

function withoutQuotes(part: string): string {
  if (part === "'" || part === '"') throw new Error(`a quote that nothing ends: ${part}`);
  if (part.startsWith("'")) return part.slice(1, -1);
  if (part.startsWith('"')) return part.slice(1, -1).replace(/\\([\\"$`])/g, '$1');
  return part.startsWith('\\') ? part.slice(1) : part;
}
