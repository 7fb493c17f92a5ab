// cairn fetch: every source of a target in one folder, which then serves as a mirror.

import { resolve } from 'node:path';
import type { Step } from '../../engine/index.ts';
import { collectSources } from '../../engine/sources/index.ts';
import type { Digest } from '../../store/base/digest.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { withNamedPath } from '../reports/persons-error.ts';
import { openProject, type Project } from '../project/project.ts';
import { failureLines } from '../render/failures.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { formatCount } from '../render/units.ts';
import { closureOf } from '../project/steps.ts';
import { writeRecords } from '../records/write-records.ts';

interface FetchFlags {
  readonly to: string;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<output...>', 'whose sources, with those of everything they are built from')
    .requiredOption('--to <folder>', 'where to put them; what is there already stays')
    .action(runs(fetchSources));
  addHelpNotes(command, {
    about:
      'Builds elsewhere use the folder with CAIRN_SOURCES=FOLDER, or serve it over HTTP as a mirror. sha256sum reads\n' +
      'its SHA256SUMS.',
    examples: [['cairn fetch lsb --to /srv/sources', 'all that is needed to build lsb without a network']],
    exitCodes: [0, 1, 2, 130],
  });
};

async function fetchSources(
  context: Context,
  { to }: FetchFlags,
  targets: readonly string[],
): Promise<ExitCode> {
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets, emit: renderer.emit });
  const steps = downloadsOf(project, targets);
  const ids = steps.map(({ id }) => id);
  await project.told;
  const report = await project.build.realise(ids, { keepGoing: true }).finally(() => renderer.close());
  const view = await renderer.close();
  const { out, err, shared, signal } = context;
  if (view !== undefined && shared.json !== true) err.lines(failureLines(view, err.style));
  if (!report.ok) return exitCodes.buildFailed;
  const sources = steps.map((step) => ({
    urls: step.derivation.urls,
    digest: (report.outputs.get(step.id)!['out'] as { readonly digest: Digest }).digest,
  }));
  const folder = resolve(to);
  await withNamedPath(folder, () => collectSources(sources, { folder, store: project.store, signal }));
  if (shared.json === true) {
    writeRecords(
      out,
      sources.map((source) => ({ type: 'source', ...source })),
    );
  } else out.lines([`${formatCount(sources.length, 'source')} in ${folder}`]);
  return exitCodes.ok;
}

type Download = Step & { readonly derivation: Extract<Step['derivation'], { kind: 'fetch' }> };

// What runs the sandbox is needed to build anything, though it is an input of nothing.
function downloadsOf({ evaluation, find }: Project, targets: readonly string[]): Download[] {
  const ids = targets.map((target) => find(target).id);
  const all = [
    ...closureOf(evaluation, evaluation.sandbox === undefined ? ids : [...ids, evaluation.sandbox]),
  ];
  return all.filter((step): step is Download => step.derivation.kind === 'fetch');
}
