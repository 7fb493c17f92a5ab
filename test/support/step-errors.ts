// What a build's output has of the errors that a step's program wrote.

/** The lines that begin with `error: `, each once. */
export function stepErrors(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/^ *│ */, ''));
  return [...new Set(lines.filter((line) => line.startsWith('error: ')))];
}
