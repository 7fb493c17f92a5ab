// cairn store du: how much room the store takes, and for what.

import type { KeptUsage, Usage } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { leftLines } from './verify.ts';
import { withStore } from '../../project/opened-store.ts';
import { plainLine } from '../../render/plain-text.ts';
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
    const { parts, kept, left, sizeBytes } = await (await store.maintenance()).usage();
    if (shared.json === true) {
      writeRecords(out, [
        ...parts.map((part) => ({ type: 'usage', ...part }) as const),
        ...kept.map((one) => ({ type: 'kept-folder', ...one }) as const),
        ...left.map((one) => ({ type: 'left', ...one }) as const),
      ]);
    } else {
      const rows = parts
        .filter(({ files }) => files > 0)
        .flatMap((part) => [rowOf(part), ...kept.filter((one) => one.part === part.name).map(keptRow)]);
      const all = [store.path, formatBytes(sizeBytes), ''];
      out.lines([...tableLines([...rows, all], ['left', 'right', 'right']), ...leftLines(left)]);
    }
    return exitCodes.ok;
  });
}

type Part = Usage['parts'][number];

function rowOf({ name, sizeBytes, files }: Part): string[] {
  return [name, formatBytes(sizeBytes), formatCount(files, 'file')];
}

// Within the part above it.
function keptRow({ name, sizeBytes, files, usedAtMs }: KeptUsage): string[] {
  const days = Math.floor((Date.now() - usedAtMs) / (24 * 60 * 60 * 1000));
  const used = days === 0 ? 'used today' : `unused for ${formatCount(days, 'day')}`;
  return [`  ${plainLine(name)}`, formatBytes(sizeBytes), `${formatCount(files, 'file')}, ${used}`];
}
