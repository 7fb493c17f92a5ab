// The program that compares the options asked for with the final .config, as text for the seed's python3. It prints every
// option that came out otherwise, with what it is and where the kernel defines it, and exits with 1 when there is any.

import type { Option } from './fragment.ts';

/** The options as the program reads them: a line each, its fields separated by tabs. */
export function askedText(options: readonly Option[]): string {
  return options
    .map(({ name, value, fragment, reason }) => `${[name, value, fragment, reason].join('\t')}\n`)
    .join('');
}

/** Arguments: the options asked for, the final .config, a folder with the kernel's Kconfig files. */
export { default as checkOptionsProgram } from './check-options.py';
