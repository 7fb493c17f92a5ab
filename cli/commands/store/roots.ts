// cairn store roots: what keeps outputs in the store, and letting go of it.

import { UserError } from '../../../store/base/errors.ts';
import type { Records, Root } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { withStore } from '../../project/opened-store.ts';
import { plainLine } from '../../render/plain-text.ts';
import { tableLines } from '../../render/table.ts';
import { formatCount } from '../../render/units.ts';
import { isOrphan } from '../../project/roots.ts';
import { writeRecords } from '../../records/write-records.ts';

interface RootsFlags {
  readonly remove?: string;
}

export const defineRoots: DefineCommand = (store, runs) => {
  const command = store
    .command('roots')
    .description('what keeps outputs in the store')
    .option('--remove <name>', 'let go of what this name keeps; the next `gc` may delete it')
    .action(runs(roots));
  addHelpNotes(command, {
    examples: [
      ['cairn store roots', 'every name that keeps something'],
      ['cairn store roots --remove link:/home/me/result', 'let go of one'],
    ],
  });
};

async function roots(context: Context, { remove }: RootsFlags): Promise<ExitCode> {
  return withStore(context, async ({ records }) => {
    if (remove === undefined) showRoots(context, [...records.roots()]);
    else await removeRoot(records, remove);
    return exitCodes.ok;
  });
}

async function removeRoot(records: Records, name: string): Promise<void> {
  if (records.root(name) === undefined) {
    throw new UserError('USAGE', `nothing is kept by the name "${name}"`, {
      hint: 'See all names with `cairn store roots`.',
    });
  }
  await records.update((writer) => writer.removeRoot(name));
}

function showRoots({ out, shared }: Context, all: readonly Root[]): void {
  if (shared.json === true) {
    writeRecords(
      out,
      all.map((root) => ({ type: 'root', ...root })),
    );
    return;
  }
  const rows = all.map(({ name, derivations }) => [
    formatCount(derivations.length, 'build'),
    plainLine(name) + (isOrphan(name) ? out.style.dim(' (its config is gone)') : ''),
  ]);
  out.lines(tableLines(rows));
}
