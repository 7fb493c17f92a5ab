// cairn store gc: deletes what nothing keeps, after saying what that is and what having it again would cost.

import type { GcPlan, GcStats } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { withStore } from '../../project/opened-store.ts';
import { plainLine } from '../../render/plain-text.ts';
import { tableLines } from '../../render/table.ts';
import { formatBytes, formatCount, formatDuration } from '../../render/units.ts';
import { dropDeadLinks } from '../../project/roots.ts';

interface GcFlags {
  readonly dryRun?: boolean;
}

/** The longest builds are what a person wants to know about. */
const shownBuilds = 20;

export const defineGc: DefineCommand = (store, runs) => {
  const command = store
    .command('gc')
    .description('delete what nothing keeps')
    .option('-n, --dry-run', 'only say what would be deleted, and what rebuilding it would cost')
    .action(runs(gc));
  addHelpNotes(command, {
    about:
      'Kept is what was built last for each target, and the time before, with everything it was built from, and what\n' +
      'links made with --out-link point to. `cairn store roots` lists it.',
    examples: [
      ['cairn store gc --dry-run', 'look first'],
      ['cairn store gc', 'free the room'],
    ],
  });
};

async function gc(context: Context, { dryRun = false }: GcFlags): Promise<ExitCode> {
  return withStore(context, async (store) => {
    if (!dryRun) await dropDeadLinks(store);
    const plan = await (await store.maintenance()).planGc();
    const { out, shared } = context;
    if (shared.json !== true) out.lines(lostLines(plan));
    const stats = dryRun ? plan.stats : await plan.execute(context.signal);
    if (shared.json === true) {
      const lost = plan.lost.map((build) => ({ type: 'lost-build', ...build }));
      out.lines([...lost, { type: 'gc', dryRun, ...stats }].map((record) => JSON.stringify(record)));
    } else out.lines([`${dryRun ? 'would delete' : 'deleted'} ${describeStats(stats)}`]);
    return exitCodes.ok;
  });
}

function lostLines({ lost }: GcPlan): string[] {
  const longest = [...lost].sort((a, b) => b.durationMs - a.durationMs);
  const rows = longest
    .slice(0, shownBuilds)
    .map(({ name, durationMs }) => [`  ${plainLine(name)}`, formatDuration(durationMs)]);
  const more = longest.length - rows.length;
  return [...tableLines(rows, ['left', 'right']), ...(more > 0 ? [`  and ${more} quicker ones`] : [])];
}

function describeStats({ blobs, sizeBytes, realisations, rebuildMs }: GcStats): string {
  const amount = `${formatCount(blobs, 'file')}, ${formatBytes(sizeBytes)}`;
  if (realisations === 0) return amount;
  return `${amount}: ${formatCount(realisations, 'build')} that took ${formatDuration(rebuildMs)}`;
}
