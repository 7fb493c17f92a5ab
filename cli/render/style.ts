// Colours, as a handful of named meanings. Knows nothing of streams; whoever makes a style decides whether it colours.

/** Wraps text in the escape sequences of a meaning, or leaves it alone. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly accent: (text: string) => string;
}

// Select Graphic Rendition parameters, ECMA-48 §8.3.117: on, and the one that ends it.
export const coloured: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  good: sgr(32, 39),
  bad: sgr(31, 39),
  warn: sgr(33, 39),
  accent: sgr(36, 39),
};

const same = (text: string): string => text;
export const uncoloured: Style = { bold: same, dim: same, good: same, bad: same, warn: same, accent: same };

function sgr(on: number, off: number): (text: string) => string {
  return (text) => (text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`);
}
