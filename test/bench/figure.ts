// A figure: something measured beside its yardstick, and the bound it should keep. Knows how to print a table of them.

/** One line of the report. Ratios count: a noisy machine slows both sides. */
export interface Figure {
  readonly what: string;
  /** Such as `0.16 s` or `1.5 GB/s`. */
  readonly measured: string;
  /** What it is compared with, and that one's figure. */
  readonly yardstick: string;
  /** Measured by yardstick; undefined when there is nothing to divide by. */
  readonly ratio: number | undefined;
  /** The bound, as a person reads it: `≤ 4`. */
  readonly bound: string;
  readonly isMet: boolean;
  /** How to get the figure by hand. */
  readonly command: string;
}

export function atMost(ratio: number, bound: number): Pick<Figure, 'ratio' | 'bound' | 'isMet'> {
  return { ratio, bound: `≤ ${bound}`, isMet: ratio <= bound };
}

export function atLeast(ratio: number, bound: number): Pick<Figure, 'ratio' | 'bound' | 'isMet'> {
  return { ratio, bound: `≥ ${bound}`, isMet: ratio >= bound };
}

/** A figure whose yardstick is not on this machine. */
export function withoutPeer(
  why: string,
  bound: string,
): Pick<Figure, 'ratio' | 'bound' | 'isMet' | 'yardstick'> {
  return { yardstick: why, ratio: undefined, bound, isMet: true };
}

/** The figures as lines: what, measured, yardstick, ratio, bound; below each how to get it. */
export function formatFigure(figure: Figure): string {
  const ratio = figure.ratio === undefined ? '' : ` — ratio ${figure.ratio.toFixed(2)} (${figure.bound})`;
  const mark = figure.ratio === undefined ? '·' : figure.isMet ? '✓' : '✗';
  return `${mark} ${figure.what}: ${figure.measured}; ${figure.yardstick}${ratio}\n    ${figure.command}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 1)} s`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
