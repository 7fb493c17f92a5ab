// What the program of attend.c has found that no tree can hold, as the error that it is here as well. Pure.

import { UserError } from '../../store/base/errors.ts';
import type { BuildRequest } from '../execute/executor.ts';
import { outputPlace } from './input-root.ts';

const kinds: Readonly<Record<string, string>> = {
  deep: 'is nested too deeply',
  name: 'has a name that is not UTF-8',
  replaced: 'is not a folder any more',
  special: 'is neither file, directory nor symlink, and a tree holds nothing else',
  target: 'is a symlink whose target is not UTF-8',
  unreadable: 'cannot be read',
};

/** @param refused the kind, a blank, and the path in the folder that the worker used */
export function refusedOutput({ name, outputs }: BuildRequest, refused: string): UserError {
  const [, kind = '', path = ''] = /^(\w+) (.*)$/s.exec(refused) ?? [];
  const output = outputs.find(
    (each) => path === outputPlace(each) || path.startsWith(`${outputPlace(each)}/`),
  );
  const shown = output === undefined ? path : `$${output}${path.slice(outputPlace(output).length)}`;
  return new UserError(
    'OUTPUT_INVALID',
    `${name} left an output that cannot be kept: ${shown} ${kinds[kind] ?? 'is not what a tree can hold'}`,
    { hint: 'Remove it at the end of the step, or leave it out.' },
  );
}
