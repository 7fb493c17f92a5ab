// cairn store du: how much room the store takes, and for what.

import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { withStore } from '../../project/opened-store.ts';
import { tableLines } from '../../render/table.ts';
import { formatBytes, formatCount } from '../../render/units.ts';
import { writeRecords } from '../../records/write-records.ts';

export const defineDu: DefineCommand = (store, runs) => {
  const command = store.command('du').description('how much room it takes, and for what').action(runs(du));
  addHelpNotes(command, { examples: [['cairn store du', 'hard links are counted once']] });
};

async function du(context: Context): Promise<ExitCode> {
  const { out, shared } = context;
  return withStore(context, async (store) => {
    const { parts, sizeBytes } = await (await store.maintenance()).usage();
    if (shared.json === true) {
      writeRecords(
        out,
        parts.map((part) => ({ type: 'usage', ...part })),
      );
    } else {
      const rows = parts
        .filter(({ files }) => files > 0)
        .map((part) => [part.name, formatBytes(part.sizeBytes), formatCount(part.files, 'file')]);
      const all = [store.path, formatBytes(sizeBytes), ''];
      out.lines(tableLines([...rows, all], ['left', 'right', 'right']));
    }
    return exitCodes.ok;
  });
}
