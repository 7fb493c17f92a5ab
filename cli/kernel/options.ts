// Options of a kernel by name, as files and fragments have them, and how two sets of them differ. Pure.

/** Values by name, without `CONFIG_`: `y`, `m`, a number, a text in quotes; `n` where it is said that it is off. */
export type Options = ReadonlyMap<string, string>;

export interface OptionDifference {
  readonly option: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before?: string;
  readonly after?: string;
}

/** The options of a `.config`, or of a piece of one. */
export function optionsIn(text: string): Options {
  const found = text.matchAll(/^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$/gm);
  return new Map(
    [...found].map(([, name, value, off]) => (name === undefined ? [off!, 'n'] : [name, value!])),
  );
}

/**
 * Every option in which they differ, by name. One that a whole configuration does not have is as good as off: a `.config`
 * does not speak of what cannot be chosen. What a fragment does not name it does not want to be anything.
 */
export function compareOptions(before: Compared, after: Compared): readonly OptionDifference[] {
  const names = new Set([...before.options.keys(), ...after.options.keys()]);
  const differences = [...names].sort().map((option) => difference(option, before, after));
  return differences.flatMap((one) => one ?? []);
}

export interface Compared {
  readonly options: Options;
  /** Whether it says of every option what it is. */
  readonly isWhole: boolean;
}

function difference(option: string, before: Compared, after: Compared): OptionDifference | undefined {
  const [a, b] = [before, after].map(({ options }) => options.get(option));
  if (a === b) return undefined;
  if (a === undefined) {
    if (before.isWhole ? b === 'n' : after.isWhole) return undefined;
    return { option, change: 'added', after: b! };
  }
  if (b === undefined) {
    if (after.isWhole ? a === 'n' : before.isWhole) return undefined;
    return { option, change: 'removed', before: a };
  }
  return { option, change: 'changed', before: a, after: b };
}

/** Lines as scripts/diffconfig of the kernel writes them: what is gone, what is otherwise, what is new. */
export function differenceLines(differences: readonly OptionDifference[]): string[] {
  const of = (change: OptionDifference['change']): readonly OptionDifference[] =>
    differences.filter((one) => one.change === change);
  return [
    ...of('removed').map(({ option, before }) => `-${option} ${before!}`),
    ...of('changed').map(({ option, before, after }) => ` ${option} ${before!} -> ${after!}`),
    ...of('added').map(({ option, after }) => `+${option} ${after!}`),
  ];
}
