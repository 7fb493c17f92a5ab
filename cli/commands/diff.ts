// cairn diff: two outputs, file by file; two images, also by what they are made of. Only equal digests are identical.

import { compareNodes } from '../../engine/index.ts';
import type { Store } from '../../store/index.ts';
import type { DefineCommand } from '../command.ts';
import { openContents, type Found } from '../reports/contents.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { describeDifference, differenceLine, type FileDifference } from '../reports/file-difference.ts';
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
  const differences = differencesOf([contents.find(a), contents.find(b)], store);
  if (images[0] !== undefined && images[1] !== undefined)
    return await diffImages(context, flags, { images: [images[0], images[1]], differences });
  const { out, err, shared } = context;
  let count = 0;
  for await (const described of differences) {
    count++;
    if (shared.json === true) writeRecords(out, [{ type: 'difference', ...described }]);
    else out.lines([differenceLine(described)]);
  }
  if (shared.json !== true)
    err.lines([
      count === 0 ? 'identical' : `${formatCount(count, 'path')} ${count === 1 ? 'differs' : 'differ'}`,
    ]);
  return flags.exitCode === true && count > 0 ? exitCodes.buildFailed : exitCodes.ok;
}

/** Every path at which they differ. */
async function* differencesOf(
  [before, after]: readonly [Found, Found],
  store: Store,
): AsyncGenerator<FileDifference> {
  const whole = <T>(use: () => T | Promise<T>): Promise<T> => before.whole(() => after.whole(use));
  for (const difference of await whole(() => compareNodes(before.node, after.node, store.trees)))
    yield await whole(() => describeDifference(difference, store));
}

interface ImagePair {
  readonly images: readonly [DescribedImage, DescribedImage];
  /** Of the two outputs, the disks among them. */
  readonly differences: AsyncIterable<FileDifference>;
}

async function diffImages(
  { out, err, shared }: Context,
  { exitCode }: DiffFlags,
  { images: [a, b], differences }: ImagePair,
): Promise<ExitCode> {
  const { compareImages } = await import('../images/image-difference.ts');
  const { imageDifferenceLines } = await import('../images/difference-report.ts');
  const output: FileDifference[] = [];
  for await (const described of differences) output.push(described);
  const difference = { ...compareImages(a, b), output };
  // What an image says of itself is in its output, too: equal outputs are equal images, and no others are.
  const differs = output.length > 0;
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
