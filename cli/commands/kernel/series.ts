// cairn kernel series: builds a target with each commit of a series, and says which of them break it.

import { stepLabel, type BuildReport, type Outcome } from '../../../engine/index.ts';
import type { Store } from '../../../store/index.ts';
import { openCheckout } from '../../commits/checkout.ts';
import { commitsOf, openRepository, shortId, type Commit } from '../../commits/repository.ts';
import type { DefineCommand } from '../../command.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { withStore } from '../../project/opened-store.ts';
import { openProject, type Project } from '../../project/project.ts';
import { writeRecords } from '../../records/write-records.ts';
import { failureLines } from '../../render/failures.ts';
import { openRenderer } from '../../render/open-renderer.ts';
import { plainLine } from '../../render/plain-text.ts';
import { formatCount, formatDuration } from '../../render/units.ts';
import type { RecordOf } from '../../records/definitions.ts';

interface SeriesFlags {
  readonly source: string;
  readonly input: string;
  readonly offline?: boolean;
}

/** What became of one commit, as its record has it. */
type Tried = RecordOf<'series-commit'>;

interface Wanted {
  readonly commit: Commit;
  readonly target: string;
  readonly offline: boolean;
  readonly store: Store;
}

export const defineSeries: DefineCommand = (kernel, runs) => {
  const command = kernel
    .command('series')
    .description('build each commit of a series, and say which breaks')
    .argument('<base..tip>', 'the commits of TIP that BASE has not, the oldest first')
    .argument('[output]', 'what to build with each', 'kernel')
    .requiredOption('--source <folder>', 'the git repository; its work tree and branches are not touched')
    .option('--input <name>', 'the input that a commit stands for', 'linux')
    .option('--offline', 'use nothing but this machine')
    .action(runs(series));
  addHelpNotes(command, {
    about:
      'A commit is the same to cairn wherever its files lie: what was built for it before, in a series, a bisection or your\n' +
      'own work tree, is not built again. A commit that breaks does not keep the others from being tried. Results are\n' +
      'kept until `cairn store gc`; commits are taken out into ~/.cache/cairn/commits, which may be deleted.',
    examples: [
      ['cairn kernel series origin/master..HEAD --source ../linux', 'with the usual kernel'],
      ['cairn kernel series v6.12..HEAD kernel-tiny --source ../linux', 'with a smaller one'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

async function series(
  context: Context,
  { source, input, offline = false }: SeriesFlags,
  range: string,
  target: string,
): Promise<ExitCode> {
  const repository = await openRepository(source);
  const commits = await commitsOf(repository, range);
  const broken: Commit[] = [];
  const isWhole = await withStore(context, async (store) => {
    await using checkout = await openCheckout(repository, { store, env: context.env });
    const override = [...(context.shared.override ?? []), `${input}=${checkout.folder}`];
    const there: Context = { ...context, shared: { ...context.shared, override } };
    for (const commit of commits) {
      await checkout.at(commit.id);
      const tried = await tryCommit(there, { commit, target, offline, store });
      if (tried === undefined) return false;
      show(context, tried);
      if (tried.state === 'failed') broken.push(commit);
    }
    return true;
  });
  if (!isWhole) return exitCodes.interrupted;
  if (context.shared.json !== true) context.err.lines([lastLine(commits, broken)]);
  return broken.length === 0 ? exitCodes.ok : exitCodes.buildFailed;
}

/** Undefined when it was interrupted. */
async function tryCommit(context: Context, wanted: Wanted): Promise<Tried | undefined> {
  const { commit, target, offline, store } = wanted;
  const startedMs = performance.now();
  const renderer = openRenderer(context);
  const settings = { offline };
  await using project = await openProject(context, {
    targets: [target],
    settings,
    emit: renderer.emit,
    store,
  });
  const { id, key, output } = project.find(target);
  const report = await project.build.realise([id]).finally(() => renderer.close());
  const view = await renderer.close();
  if (report.cancelled) return undefined;
  if (view !== undefined && context.shared.json !== true)
    context.err.lines(failureLines(view, context.err.style));
  const node = report.outputs.get(id)?.[output];
  const failed = stepsThat(project, report, 'failed');
  const wasBuilt = stepsThat(project, report, 'built').length > 0;
  return {
    type: 'series-commit',
    commit: commit.id,
    subject: commit.subject,
    target: key,
    state: report.ok ? (wasBuilt ? 'built' : 'up-to-date') : 'failed',
    ...(node !== undefined && node.kind !== 'symlink' && { digest: node.digest }),
    elapsedMs: performance.now() - startedMs,
    ...(failed.length > 0 && { failed }),
  };
}

/** Commands, not the small steps around them. */
function stepsThat({ evaluation }: Project, { outcomes }: BuildReport, kind: Outcome['kind']): string[] {
  return [...outcomes].flatMap(([id, outcome]) => {
    const { derivation } = evaluation.steps(id);
    return outcome.kind === kind && derivation.kind === 'run' ? [stepLabel(derivation)] : [];
  });
}

function show({ out, shared }: Context, tried: Tried): void {
  if (shared.json === true) {
    writeRecords(out, [tried]);
    return;
  }
  const { commit, subject, state, elapsedMs, failed = [] } = tried;
  const { good, bad } = out.style;
  const words = { built: good('built '), 'up-to-date': good('ready '), failed: bad('broken') };
  const steps = failed.length === 0 ? '' : `: ${failed.join(', ')}`;
  const about = `${formatDuration(elapsedMs)}  ${plainLine(subject)}${steps}`;
  out.lines([`${words[state]}  ${shortId({ id: commit })}  ${about}`]);
}

function lastLine(commits: readonly Commit[], broken: readonly Commit[]): string {
  const all = formatCount(commits.length, 'commit');
  const [first] = broken;
  if (first === undefined) return `${all}, none of which breaks it`;
  const which = `the first is ${shortId(first)} ${plainLine(first.subject)}`;
  return `${broken.length} of ${all} ${broken.length === 1 ? 'breaks' : 'break'} it; ${which}`;
}
