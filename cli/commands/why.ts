// cairn why: what changed since a target was last built, or what differs from the one that a cache has; the root cause first.

import {
  comingOutAsBefore,
  explain,
  foresee,
  plannedSteps,
  stepRef,
  storeFacts,
  unprovenSteps,
  type Evaluation,
  type Foreseen,
  type Step,
} from '../../engine/index.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { UserError } from '../../store/base/errors.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { stepFields } from '../render/json.ts';
import { stepName } from '../render/names.ts';
import { cacheSettings } from '../person/cache-settings.ts';
import { openProject } from '../project/project.ts';
import { foreseenLines } from '../reports/foreseen.ts';
import { causeRecord, explainedRecord, whyLines } from '../reports/why-report.ts';
import { writeRecords } from '../records/write-records.ts';

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output>', 'an output')
    .option('--against <url>', 'compare with what this cache has, instead of the last build')
    .action(runs(why));
  addHelpNotes(command, {
    about:
      'Compares each step below the output with its version of the last build, field by field. Steps that changed\n' +
      'themselves come first; what only follows from them is shown as the way from there to the output. Commands that have to\n' +
      'be run are marked, those behind them run only if something else comes out. What comes out as before is one line.\n' +
      'With --against, compares with what was pushed to a cache under that name: the closest of the newest ten. Says that the\n' +
      'cache has it, that only trust refuses it, or what differs, down to the step whose own fields do. Takes and writes nothing.',
    examples: [
      ['cairn why lsb', 'why the next build of lsb has something to do'],
      ['cairn why lsb --against https://cache.example/team', 'why this machine misses what CI has pushed'],
    ],
    exitCodes: [0, 1, 2],
  });
};

interface WhyFlags {
  readonly against?: string;
}

async function why(context: Context, { against }: WhyFlags, target: string): Promise<ExitCode> {
  if (against !== undefined) return whyAgainst(context, against, target);
  await using project = await openProject(context, { targets: [target] });
  const { evaluation, store, build } = project;
  const { key, id } = project.find(target);
  const facts = storeFacts(store);
  const causes = explain(id, evaluation.steps, facts);
  const plan = await build.plan([id]);
  const foreseen = foresee(plan, facts, store.trees);
  const asBefore = comingOutAsBefore(causes, { plan, foreseen, facts });
  // A step on Merkle nodes that gives what it gave is not worth a word.
  const isToDo = (id: Step['id']): boolean => !asBefore.has(id) && isDoneFor(foreseen.get(id)!);
  const toBuild = new Map([...plan.toBuild].filter(([id]) => isToDo(id)));
  const { out, shared } = context;
  const unproven = unprovenSteps([id], evaluation.steps, store).map(stepRef);
  if (shared.json === true)
    writeRecords(out, [
      explainedRecord({ target: key, wanted: id, causes }, toBuild),
      ...causes.map((cause) => causeRecord(cause, toBuild.get(cause.step.id), asBefore.has(cause.step.id))),
      ...unproven.map((step) => ({ type: 'unproven', ...stepFields(step) }) as const),
    ]);
  else
    out.lines([
      ...whyLines({
        target: key,
        wanted: id,
        causes,
        toBuild,
        asBefore,
        foreseen,
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

function isDoneFor({ isDone, outputs }: Foreseen): boolean {
  return isDone || outputs === undefined;
}

async function whyAgainst(context: Context, url: string, target: string): Promise<ExitCode> {
  const [{ compareWithCache, openCache }, { againstLines, againstRecord }] = await Promise.all([
    import('../../engine/caches/index.ts'),
    import('../reports/against-report.ts'),
  ]);
  const { env, out, shared, signal } = context;
  const cache = openCache(url, { env });
  await using project = await openProject(context, { targets: [target], settings: { usesCaches: false } });
  const { evaluation, store, build } = project;
  const { key, id } = project.find(target);
  const { caches, trust } = cacheSettings(evaluation.flake, [], env);
  const configured = caches.find((one) => one.url === url);
  const takesAnyKey = configured?.takesAnyKey === true;
  const names = [key, ...outputsMadeFrom(id, evaluation).filter((name) => name !== key)];
  const { steps } = evaluation;
  const against = await compareWithCache(id, { names, steps, cache, trust, takesAnyKey, signal });
  if (against.kind === 'unknown') throw unknownThere(cache.name, key, against.results);
  const { toBuild } = await build.plan([id]);
  const report = { target: key, id, cache: cache.name, isAsked: configured !== undefined, against };
  if (shared.json === true) {
    const causes = against.kind === 'differs' ? against.causes : [];
    writeRecords(out, [
      againstRecord(report),
      ...causes.map((cause) => causeRecord(cause, toBuild.get(cause.step.id))),
    ]);
  } else {
    const { trees } = store;
    out.lines(againstLines(report, { toBuild, trees, style: out.style }));
  }
  return exitCodes.ok;
}

/** The outputs that have this step in them. */
function outputsMadeFrom(id: Step['id'], { outputs, steps }: Evaluation): string[] {
  return [...outputs].flatMap(([key, output]) => {
    const closure = new Set([output.id]);
    for (const one of closure) for (const input of steps(one).inputIds) closure.add(input);
    return closure.has(id) ? [key] : [];
  });
}

function unknownThere(cache: string, key: string, results: number): UserError {
  const what = results === 0 ? '' : `; of the steps that it is made from it has ${results}`;
  const hint =
    results === 0
      ? 'It may have been pushed there under another name, or to another place.'
      : 'They were pushed by themselves, or by an earlier cairn, which did not say what a name came to.';
  return new UserError('TARGET_UNKNOWN', `${cache} has nothing under the name ${key}${what}`, {
    hint: `${hint} \`cairn cache push ${key} --to URL\`, where it was built, says what it is made from.`,
  });
}
