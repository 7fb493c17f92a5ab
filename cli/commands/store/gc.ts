// cairn store gc: deletes what nothing keeps, after saying what that is and what having it again would cost.

import type { GcLimits, GcPlan, GcStats } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { withStore } from '../../project/opened-store.ts';
import { plainLine } from '../../render/plain-text.ts';
import { tableLines } from '../../render/table.ts';
import { formatBytes, formatCount, formatDuration } from '../../render/units.ts';
import { dropDeadLinks } from '../../project/roots.ts';
import { parseSize } from '../../project/store-size.ts';
import { parseCount } from '../build.ts';
import { writeRecords } from '../../records/write-records.ts';

interface GcFlags {
  readonly dryRun?: boolean;
  readonly maxSize?: number;
  readonly keepDays?: number;
}

const dayMs = 24 * 60 * 60 * 1000;

/** The longest builds are what a person wants to know about. */
const shownBuilds = 20;

export const defineGc: DefineCommand = (store, runs) => {
  const command = store
    .command('gc')
    .description('delete what nothing keeps')
    .option('-n, --dry-run', 'only say what would be deleted, and what rebuilding it would cost')
    .option(
      '--max-size <size>',
      'delete only as much as makes the store this small, used last goes last',
      parseSize,
    )
    .option('--keep-days <count>', 'keep what was used within so many days', parseCount)
    .action(runs(gc));
  addHelpNotes(command, {
    about:
      'Kept is what was built last for each output, and the time before, with everything it was built from, and what\n' +
      'links made with --out-link point to. `cairn store roots` lists it. It is kept whatever limit is given.\n' +
      'Folders that steps keep for their next build, and compile caches, go when nobody has used them for 14 days, or\n' +
      'what was built in them is not kept any more; with a limit, when that says so, used longest ago first.\n' +
      'With CAIRN_STORE_SIZE=20G in the environment, every command that builds keeps to that size by itself afterwards.',
    examples: [
      ['cairn store gc --dry-run', 'look first'],
      ['cairn store gc', 'free the room'],
      ['cairn store gc --max-size 20G', 'keep as much as fits into 20 GB'],
      ['cairn store gc --keep-days 30', 'keep what was used in the last 30 days'],
    ],
  });
};

async function gc(context: Context, flags: GcFlags): Promise<ExitCode> {
  const { dryRun = false } = flags;
  return withStore(context, async (store) => {
    if (!dryRun) await dropDeadLinks(store);
    const plan = await (await store.maintenance()).planGc(limitsOf(flags));
    const { out, shared } = context;
    if (shared.json !== true) out.lines(lostLines(plan));
    const stats = dryRun ? plan.stats : await plan.execute(context.signal);
    if (shared.json === true) {
      writeRecords(out, [
        ...plan.lost.map((build) => ({ type: 'lost-build', ...build }) as const),
        { type: 'gc', dryRun, ...stats },
      ]);
    } else
      out.lines([
        `${dryRun ? 'would delete' : 'deleted'} ${describeStats(stats)}`,
        ...sizeLines(stats, flags),
      ]);
    return exitCodes.ok;
  });
}

function limitsOf({ maxSize, keepDays }: GcFlags): GcLimits {
  return {
    ...(maxSize !== undefined && { maxBytes: maxSize }),
    ...(keepDays !== undefined && { usedSinceMs: Date.now() - keepDays * dayMs }),
  };
}

function sizeLines({ keptBytes }: GcStats, { maxSize = Infinity }: GcFlags): string[] {
  if (keptBytes === undefined) return [];
  const size = `${formatBytes(keptBytes)} stay`;
  return [keptBytes <= maxSize ? size : `${size}: the rest is kept by roots, used now, or was used lately`];
}

function lostLines({ lost }: GcPlan): string[] {
  const longest = [...lost].sort((a, b) => b.durationMs - a.durationMs);
  const rows = longest
    .slice(0, shownBuilds)
    .map(({ name, durationMs }) => [`  ${plainLine(name)}`, formatDuration(durationMs)]);
  const more = longest.length - rows.length;
  return [...tableLines(rows, ['left', 'right']), ...(more > 0 ? [`  and ${more} quicker ones`] : [])];
}

function describeStats({ blobs, sizeBytes, realisations, rebuildMs, keptFolders }: GcStats): string {
  const kept = keptFolders === 0 ? '' : ` and ${formatCount(keptFolders, 'kept folder')}`;
  const amount = `${formatCount(blobs, 'file')}${kept}, ${formatBytes(sizeBytes)}`;
  if (realisations === 0) return amount;
  return `${amount}: ${formatCount(realisations, 'build')} that took ${formatDuration(rebuildMs)}`;
}
