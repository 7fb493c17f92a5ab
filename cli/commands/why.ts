// cairn why: what changed since a target was last built, the root cause first.

import { explain, plannedSteps, stepRef, storeFacts, unprovenSteps } from '../../engine/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { stepFields } from '../render/json.ts';
import { stepName } from '../render/names.ts';
import { openProject } from '../project/project.ts';
import { foreseenLines } from '../reports/foreseen.ts';
import { causeRecord, explainedRecord, whyLines } from '../reports/why-report.ts';
import { writeRecords } from '../records/write-records.ts';

export const define: DefineCommand = (command, runs) => {
  command.argument('<target>', 'an output').action(runs(why));
  addHelpNotes(command, {
    about:
      'Compares each step below the target with its version of the last build, field by field. Steps that changed\n' +
      'themselves come first; what only follows from them is shown as the way from there to the target.',
    examples: [['cairn why lsb', 'why the next build of lsb has something to do']],
  });
};

async function why(context: Context, _: unknown, target: string): Promise<ExitCode> {
  await using project = await openProject(context, { targets: [target] });
  const { evaluation, store, build } = project;
  const { key, id } = project.find(target);
  const causes = explain(id, evaluation.steps, storeFacts(store));
  const plan = await build.plan([id]);
  const { toBuild } = plan;
  const { out, shared } = context;
  const unproven = unprovenSteps([id], evaluation.steps, store).map(stepRef);
  if (shared.json === true)
    writeRecords(out, [
      explainedRecord({ target: key, wanted: id, causes }, toBuild),
      ...causes.map((cause) => causeRecord(cause, toBuild.get(cause.step.id))),
      ...unproven.map((step) => ({ type: 'unproven', ...stepFields(step) }) as const),
    ]);
  else
    out.lines([
      ...whyLines({
        target: key,
        wanted: id,
        causes,
        toBuild: new Set(toBuild.keys()),
        trees: store.trees,
        style: out.style,
      }),
      ...foreseenLines(plannedSteps(plan), out.style),
      ...unproven.map(
        (step) =>
          `${stepName(step)} was made incrementally; \`cairn check --promote ${key}\` proves it by a clean build`,
      ),
    ]);
  return exitCodes.ok;
}
