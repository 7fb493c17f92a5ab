// The kernel's own menu on this terminal, in the sandbox of the step that configures the kernel, and what was chosen in it.
// Knows no fragment's form and no file of a person.

import { constants } from 'node:os';
import { join } from 'node:path';
import type { BuildRequest } from '../../engine/index.ts';
import { openShell, type SandboxTool } from '../../engine/sandbox/index.ts';
import { UserError } from '../../store/base/errors.ts';
import { readTextIfThere } from '../../store/base/named-file.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { Store } from '../../store/index.ts';
import menuScript from './menu.sh';
import minimalProgram from './minimal-options.py';

export type MenuName = 'menuconfig' | 'nconfig';

export interface Menu {
  readonly name: MenuName;
  /** The step that configures the kernel. */
  readonly request: BuildRequest;
  /** What the menu is compiled and shown with, beside what the step has. */
  readonly tools: Digest;
  /** The name of the fragment that is to be written: what it asked for so far is up for choice. */
  readonly fragment: string;
  /** What it asked for when it was written last, as lines of a `.config`; the configuration may not have it yet. */
  readonly former: string;
}

export interface ChosenOption {
  readonly name: string;
  /** As a `.config` has it. */
  readonly value: string;
  /** Whether another fragment asks for something else. */
  readonly overrules: boolean;
}

export interface Chosen {
  /** What has to be asked for, sorted by name. */
  readonly options: readonly ChosenOption[];
  /** Options that come out otherwise, whatever is asked for. */
  readonly unreached: readonly string[];
}

/**
 * Opens the menu, and gives what was chosen when it is left; undefined when nothing was saved, or nothing but what was there.
 * Whatever was saved counts, even if the menu was killed afterwards, but not if all was.
 * @throws UserError `MENU_FAILED` when it could not be made or worked on; the signal's reason
 */
export async function chooseInMenu(
  { name, request, tools, fragment, former }: Menu,
  surroundings: { readonly store: Store; readonly tool: SandboxTool; readonly signal: AbortSignal },
): Promise<Chosen | undefined> {
  const shown = { ...request, layers: [...request.layers, tools] };
  const argv = ['/bin/bash', '-c', menuScript, name, name, fragment, former, minimalProgram];
  let left: Left | undefined;
  const status = await openShell(shown, {
    ...surroundings,
    argv,
    onLeft: async (folder) => void (left = await read(folder)),
  });
  const { start, saved, answer, log, ended } = left!;
  if (answer !== undefined) return JSON.parse(answer) as Chosen;
  const isSaved = start !== saved;
  if (start !== undefined && !isSaved && hasLeft.has(ended ?? `${status}`)) return undefined;
  const what =
    start === undefined
      ? 'cannot be made from these sources'
      : isSaved
        ? 'was left, but what was saved cannot be worked on'
        : 'did not end as it should, and nothing was saved';
  throw new UserError('MENU_FAILED', `the kernel's ${name} ${what} (status ${ended ?? status})`, {
    hint:
      log.trim() === ''
        ? 'Look at what it wrote above.'
        : `It says: ${log.trim().split('\n').slice(-3).join(' ')}`,
  });
}

/** It was left by its own keys, or by Ctrl-C. */
const hasLeft: ReadonlySet<string> = new Set(['0', `${128 + constants.signals.SIGINT}`]);

interface Left {
  readonly start: string | undefined;
  readonly saved: string | undefined;
  readonly answer: string | undefined;
  readonly log: string;
  /** The exit status of the menu itself. */
  readonly ended: string | undefined;
}

async function read(folder: string): Promise<Left> {
  const text = (name: string): Promise<string | undefined> => readTextIfThere(join(folder, name));
  return {
    start: await text('start.config'),
    saved: await text('.config'),
    answer: await text('answer.json'),
    ended: (await text('status'))?.trim(),
    log: (await text('minimal.log')) ?? (await text('make.log')) ?? '',
  };
}
