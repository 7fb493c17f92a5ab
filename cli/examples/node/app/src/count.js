/** The words of a text with how often each is there, the most frequent first. */
export function count(text) {
  const times = new Map();
  for (const word of text.split(/\s+/).filter(Boolean)) times.set(word, (times.get(word) ?? 0) + 1);
  return [...times].sort(([, a], [, b]) => b - a);
}
