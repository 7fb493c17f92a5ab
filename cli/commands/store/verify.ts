// cairn store verify: reads everything again and compares it with what it should be.

import type { Damage, LeftAt, Store, VerifyReport, VerifyStep } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { withStore } from '../../project/opened-store.ts';
import { meter } from '../../render/meter.ts';
import { plainLine } from '../../render/plain-text.ts';
import { tableLines } from '../../render/table.ts';
import { formatBytes, formatCount, formatDuration } from '../../render/units.ts';
import { writeRecords } from '../../records/write-records.ts';

export const defineVerify: DefineCommand = (store, runs) => {
  const command = store
    .command('verify')
    .description('read everything again and compare it with its digest')
    .action(runs(verify));
  addHelpNotes(command, {
    about: 'Changes nothing. `cairn store repair` mends what it finds.',
    examples: [['cairn store verify', 'with all cores']],
    exitCodes: [0, 20, 130],
  });
};

async function verify(context: Context): Promise<ExitCode> {
  return withStore(context, async (store) => {
    const report = await verifyWithMeter(context, store);
    const { out, shared } = context;
    const { steps, damages, left } = report;
    if (shared.json === true) {
      writeRecords(out, [
        ...steps.map((step) => ({ type: 'verified', ...step }) as const),
        ...damages.map(({ kind, ...damage }) => ({ type: 'damage', damage: kind, ...damage }) as const),
        ...left.map((one) => ({ type: 'left', ...one }) as const),
      ]);
    } else
      out.lines([
        ...tableLines(steps.map(stepRow), ['left', 'right', 'right', 'right']),
        ...leftLines(left),
        ...damageLines(damages),
      ]);
    return damages.length === 0 ? exitCodes.ok : exitCodes.storeCorrupt;
  });
}

/** Verifies, and shows on a terminal how far it is. */
export async function verifyWithMeter({ err, signal, shared }: Context, store: Store): Promise<VerifyReport> {
  const progress = meter(err, { label: 'verifying', isQuiet: shared.json === true });
  try {
    const onProgress = progress.update;
    return await (await store.maintenance()).verify({ signal, onProgress });
  } finally {
    progress.close();
  }
}

/** One line for each thing that is damaged, and what to do at the end. */
export function damageLines(damages: readonly Damage[]): string[] {
  if (damages.length === 0) return ['nothing is damaged'];
  return [
    ...damages.map((damage) => `  ${plainLine(describeDamage(damage))}`),
    `${formatCount(damages.length, 'thing')} damaged; mend it with \`cairn store repair\``,
  ];
}

/** One line for each place where files of results stayed. */
export function leftLines(left: readonly LeftAt[]): string[] {
  return left.map(
    ({ place, files, sizeBytes }) =>
      `${formatCount(files, 'file')} of results, ${formatBytes(sizeBytes)}, stayed at ${plainLine(place)}: brought or made again when wanted`,
  );
}

function describeDamage(damage: Damage): string {
  switch (damage.kind) {
    case 'blob':
      return `${damage.path} does not have the content that its name says`;
    case 'record':
      return `the record ${damage.key} of the ${damage.table} is not what was written`;
    case 'directory':
      return `the record of directory ${damage.digest} is not what it should be`;
    case 'tree':
      return `${damage.path} is not what it is a copy of`;
    case 'missing':
      return `${damage.digest}, which belongs to ${damage.wantedBy}, is missing`;
  }
}

function stepRow({ name, checked, sizeBytes, durationMs }: VerifyStep): string[] {
  const rate = sizeBytes === 0 ? '' : `${formatBytes((sizeBytes * 1000) / Math.max(1, durationMs))}/s`;
  return [
    name,
    `${checked} checked`,
    sizeBytes === 0 ? '' : formatBytes(sizeBytes),
    formatDuration(durationMs),
    rate,
  ];
}
