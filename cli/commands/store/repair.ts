// cairn store repair: takes damage out of the way, and builds or downloads again what it belonged to.

import type { DerivationId } from '../../../engine/index.ts';
import { UserError } from '../../../store/base/errors.ts';
import { mendStore, type Store } from '../../../store/index.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { withStore } from '../../project/opened-store.ts';
import { openWholeProject, type OpenProject, type Project } from '../../project/project.ts';
import { failureLines } from '../../render/failures.ts';
import { openRenderer, type OpenRenderer } from '../../render/open-renderer.ts';
import { plainLine } from '../../render/plain-text.ts';
import { formatCount } from '../../render/units.ts';
import { closureOf } from '../../project/steps.ts';
import { damageLines, leftLines, verifyWithMeter } from './verify.ts';
import { writeRecords } from '../../records/write-records.ts';

/** One damaged page may be hundreds of records. */
const shownDamages = 10;

export const defineRepair: DefineCommand = (store, runs) => {
  const command = store.command('repair').description('mend what `verify` finds').action(runs(repair));
  addHelpNotes(command, {
    about:
      'Damaged files are moved to corrupt/ in the store. What this project needs of them is built or downloaded again\n' +
      'at once; the rest when it is wanted. A damaged database is replaced by a fresh one with what can still be read.',
    examples: [['cairn store repair', 'verify, set damage aside, and build again what it belonged to']],
    exitCodes: [0, 1, 20, 130],
  });
};

async function repair(context: Context): Promise<ExitCode> {
  await mendDatabase(context);
  const lost = await withStore(context, (store) => setDamageAside(context, store));
  const project = lost.size === 0 ? undefined : await projectHere(context);
  if (project === undefined) return exitCodes.ok;
  const { renderer } = project;
  await using opened = project.project;
  const ids = neededOf(opened, lost);
  const report = await opened.build.realise(ids, { keepGoing: true }).finally(() => renderer.close());
  const view = await renderer.close();
  const { out, err, shared } = context;
  if (view !== undefined && shared.json !== true) err.lines(failureLines(view, err.style));
  if (shared.json === true) writeRecords(out, [{ type: 'repaired', wanted: ids.length, ok: report.ok }]);
  else out.lines([`${formatCount(report.outputs.size, 'step')} of this project made again`]);
  return report.ok ? exitCodes.ok : exitCodes.buildFailed;
}

// Before the store is opened, since a damaged database may not let it.
async function mendDatabase({ out, shared }: Context): Promise<void> {
  const mended = await mendStore(shared.store);
  if (mended === undefined) return;
  const { kept, damages, keptAs } = mended;
  if (shared.json === true) {
    writeRecords(out, [{ type: 'database-mended', kept, damages: [...damages], keptAs }]);
    return;
  }
  out.lines([
    ...damages.slice(0, shownDamages).map((damage) => `  ${plainLine(damage)}`),
    `the database was damaged: ${formatCount(kept, 'record')} kept in a fresh one, what could not be read is forgotten`,
    `the damaged one is ${keptAs}`,
  ]);
}

async function setDamageAside(context: Context, store: Store): Promise<ReadonlySet<string>> {
  const { damages, left } = await verifyWithMeter(context, store);
  if (context.shared.json !== true)
    context.out.lines([...leftLines(left), ...damageLines(damages).slice(0, -1)]);
  const { derivations } = await (await store.maintenance()).setAside(damages);
  const { out, shared } = context;
  if (shared.json === true) {
    writeRecords(out, [{ type: 'set-aside', damages: damages.length, derivations }]);
  } else {
    out.lines([
      damages.length === 0
        ? 'nothing is damaged'
        : `${formatCount(damages.length, 'thing')} set aside; ${formatCount(derivations.length, 'step')} no longer up to date`,
    ]);
  }
  return new Set(derivations);
}

// Damage is set aside with or without a project; only building again needs one.
async function projectHere(
  context: Context,
): Promise<{ readonly project: OpenProject; readonly renderer: OpenRenderer } | undefined> {
  const renderer = openRenderer(context);
  try {
    return { project: await openWholeProject(context, { emit: renderer.emit }), renderer };
  } catch (error) {
    if (error instanceof UserError && error.code === 'CONFIG_MISSING') return undefined;
    throw error;
  }
}

function neededOf({ evaluation }: Project, lost: ReadonlySet<string>): DerivationId[] {
  const outputs = [...evaluation.outputs.values()].map(({ id }) => id);
  const tops = evaluation.sandbox === undefined ? outputs : [...outputs, evaluation.sandbox];
  return [...closureOf(evaluation, tops)].map(({ id }) => id).filter((id) => lost.has(id));
}
