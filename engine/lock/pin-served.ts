// The newest pins of an input that mirrors really have. Knows neither how pins are found in an index nor how mirrors are
// asked.

import { UserError } from '../../store/base/errors.ts';
import type { PinnedFiles } from '../model/flake.ts';
import { withFurtherUrls } from './lock-changes.ts';
import type { ServedFiles, Unserved } from './served-files.ts';

export interface PinServedOptions {
  /** The input's name. */
  readonly input: string;
  /** What was locked of the same declaration; empty when nothing was. */
  readonly locked: PinnedFiles;
  readonly served: Pick<ServedFiles, 'missing'>;
  readonly onNotice: (message: string) => void;
}

/** Pins from an index, as if files with these SHA-256 were not listed. */
type Pinning = (gone: ReadonlySet<string>) => PinnedFiles;

/**
 * What is listed and not there is left out, as if it were not listed, until all is there. When nothing is left, what was
 * locked stays, as long as that is served. What is taken instead of what is said.
 * @throws UserError `FETCH_PIN_GONE` when nothing is left of either, and what `pin` throws for other reasons.
 */
export async function pinServed(pin: Pinning, options: PinServedOptions): Promise<PinnedFiles> {
  const { input, locked, served, onNotice } = options;
  const gone = new Map<string, Unserved>();
  for (;;) {
    const found = pinUnless(pin, gone);
    // Where people added a URL that still has it, it is served.
    const pins = found === undefined ? locked : withFurtherUrls(found, locked);
    const missing = await served.missing(pins);
    if (pins.length > 0 && missing.length === 0) {
      for (const unserved of gone.values()) onNotice(`${input}: ${insteadOf(unserved, pins)}`);
      return pins;
    }
    if (found === undefined) throw notServed(input, [...gone.values()]);
    for (const unserved of missing) gone.set(unserved.pin.sha256, unserved);
  }
}

/** What `pin` gives; undefined when it fails for want of what is gone. */
function pinUnless(pin: Pinning, gone: ReadonlyMap<string, Unserved>): PinnedFiles | undefined {
  try {
    return pin(new Set(gone.keys()));
  } catch (error) {
    if (gone.size > 0 && error instanceof UserError && error.code === 'CONFIG_INVALID') return undefined;
    throw error;
  }
}

function insteadOf({ pin, answers }: Unserved, pins: PinnedFiles): string {
  const taken = pins.find(({ name }) => name === pin.name);
  const instead = taken === undefined ? 'it is left out' : `${taken.version} is taken`;
  return `Debian lists ${pin.name} ${pin.version}, but no mirror serves it, and ${instead}\n  ${answers}`;
}

function notServed(input: string, gone: readonly Unserved[]): UserError {
  const list = gone.map(({ pin, answers }) => `\n  ${pin.name} ${pin.version}: ${answers}`).join('');
  return new UserError(
    'FETCH_PIN_GONE',
    `input "${input}" cannot be locked: Debian lists what no mirror serves${list}`,
    {
      hint:
        'Nothing was locked. The mirror may be in the middle of an update: try again later, or set ' +
        'CAIRN_MIRROR_DEBIAN to another mirror.',
      fault: 'environment',
    },
  );
}
