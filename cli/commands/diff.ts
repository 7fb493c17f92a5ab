// cairn diff: two outputs, file by file; two images, also by what they are made of.

import { compareNodes } from '../../engine/index.ts';
import type { Store } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import { openContents, type Found } from '../reports/contents.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { describeDifference, differenceLine } from '../reports/file-difference.ts';
import { addHelpNotes } from '../help.ts';
import type { DescribedImage } from '../images/image-difference.ts';
import { formatCount } from '../render/units.ts';
import { writeRecords } from '../records/write-records.ts';

interface DiffFlags {
  readonly exitCode?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<a[/path]>', 'an output, a digest, or something in one')
    .argument('<b[/path]>', 'what to compare it with')
    .option('--exit-code', 'exit with status 1 when they differ')
    .action(runs(diff));
  addHelpNotes(command, {
    examples: [
      ['cairn diff bash@x86_64-linux bash@aarch64-linux', 'two outputs'],
      ['cairn diff rpi rpi-rt', 'two images: components, files and sizes'],
      ['cairn diff $(cairn path --digest lsb) lsb', 'a tree from elsewhere or earlier, by its digest'],
    ],
  });
};

async function diff(context: Context, flags: DiffFlags, a: string, b: string): Promise<ExitCode> {
  await using contents = await openContents(context, [a, b]);
  const { store } = contents;
  const images = await Promise.all([a, b].map((text) => describedImage(contents.find(text), store, text)));
  if (images[0] !== undefined && images[1] !== undefined)
    return await diffImages(context, flags, [images[0], images[1]]);
  const [before, after] = [contents.find(a), contents.find(b)];
  const whole = <T>(use: () => T | Promise<T>): Promise<T> => before.whole(() => after.whole(use));
  const differences = await whole(() => compareNodes(before.node, after.node, store.trees));
  const { out, shared } = context;
  for (const difference of differences) {
    const described = await whole(() => describeDifference(difference, store));
    if (shared.json === true) writeRecords(out, [{ type: 'difference', ...described }]);
    else out.lines([differenceLine(described)]);
  }
  if (shared.json !== true)
    context.err.lines([
      differences.length === 0 ? 'identical' : `${formatCount(differences.length, 'path')} differ`,
    ]);
  return flags.exitCode === true && differences.length > 0 ? exitCodes.buildFailed : exitCodes.ok;
}

async function diffImages(
  { out, err, shared }: Context,
  { exitCode }: DiffFlags,
  [a, b]: readonly [DescribedImage, DescribedImage],
): Promise<ExitCode> {
  const { compareImages } = await import('../images/image-difference.ts');
  const { imageDifferenceLines } = await import('../images/difference-report.ts');
  const difference = compareImages(a, b);
  const differs = difference.components.length > 0 || difference.files.length > 0;
  if (shared.json === true) writeRecords(out, [{ type: 'image-difference', ...difference }]);
  else if (differs) out.lines(imageDifferenceLines(difference));
  else err.lines(['identical']);
  return exitCode === true && differs ? exitCodes.buildFailed : exitCodes.ok;
}

/** What an image says of itself; undefined for everything else. */
async function describedImage(
  found: Found,
  { trees }: Store,
  what: string,
): Promise<DescribedImage | undefined> {
  const { node } = found;
  const isImage = ['manifest.json', 'files.json'].every((name) => trees.lookup(node, name)?.kind === 'blob');
  if (!isImage) return undefined;
  const { readDescription } = await import('../images/description.ts');
  const image = { folder: await found.materialise(), what };
  return {
    manifest: await readDescription(image, 'manifest.json'),
    files: await readDescription(image, 'files.json'),
  };
}
