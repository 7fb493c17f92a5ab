// cairn image size: what takes the room in an image, as tables or as a picture.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DefineCommand } from '../../command.ts';
import { openContents } from '../../reports/contents.ts';
import type { Context } from '../../context.ts';
import { exitCodes, type ExitCode } from '../../exit-codes.ts';
import { addHelpNotes } from '../../help.ts';
import { readDescription, type ImageFile, type Manifest } from '../../images/description.ts';
import { sizeByComponent, sizeByFolder, type ComponentShare, type Share } from '../../images/size-report.ts';
import { withNamedPath } from '../../reports/persons-error.ts';
import { plainLine } from '../../render/plain-text.ts';
import { tableLines, type Align } from '../../render/table.ts';
import { formatBytes, formatCount } from '../../render/units.ts';
import { writeRecords } from '../../records/write-records.ts';

interface SizeFlags {
  readonly svg?: string;
}

/** What people look at; --json has all. */
const shownShares = 25;

export const defineSize: DefineCommand = (image, runs) => {
  const command = image
    .command('size')
    .description('what takes the room')
    .argument('<image>', 'an image that was built, or its digest')
    .option('--svg <file>', 'draw it: every component a rectangle, and in it its files')
    .action(runs(size));
  addHelpNotes(command, {
    examples: [
      ['cairn image size rpi', 'by component and by folder'],
      ['cairn image size rpi --svg rpi.svg', 'and as a picture, for a browser'],
    ],
  });
};

async function size(context: Context, { svg }: SizeFlags, target: string): Promise<ExitCode> {
  await using contents = await openContents(context, [target]);
  const image = { folder: await contents.find(target).materialise(), what: target };
  const manifest = await readDescription(image, 'manifest.json');
  const files = await readDescription(image, 'files.json');
  if (svg !== undefined) {
    const { treemapSvg } = await import('../../images/treemap.ts');
    await withNamedPath(svg, () => writeFile(resolve(svg), treemapSvg({ title: manifest.image, files })));
  }
  const report = {
    components: sizeByComponent(files, manifest.components),
    folders: sizeByFolder(files),
  };
  const { out, shared } = context;
  if (shared.json === true) {
    writeRecords(out, [{ type: 'image-size', partitions: manifest.partitions, ...report }]);
  } else out.lines(reportLines(manifest, files, report));
  return exitCodes.ok;
}

interface Report {
  readonly components: readonly ComponentShare[];
  readonly folders: readonly Share[];
}

function reportLines({ partitions }: Manifest, files: readonly ImageFile[], report: Report): string[] {
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const components = report.components.map((share) => [...cells(share, total), share.version]);
  const folders = report.folders.map((share) => cells(share, total));
  const used = partitions.map(({ role, sizeBytes, usedBytes }) => [
    role,
    usedBytes === undefined ? '' : `${formatBytes(usedBytes)} used`,
    `of ${formatBytes(sizeBytes)}`,
  ]);
  return [
    `${formatCount(files.length, 'file')}, ${formatBytes(total)}`,
    ...tableLines(used, ['left', 'right', 'right']),
    ...['', 'by component', ...table(components, 'component')],
    ...['', 'by folder', ...table(folders, 'folder')],
  ];
}

const aligns: readonly Align[] = ['right', 'right', 'right', 'left'];

function cells({ name, sizeBytes, files }: Share, total: number): string[] {
  const share = total === 0 ? 0 : (100 * sizeBytes) / total;
  return [formatBytes(sizeBytes), `${share.toFixed(1)} %`, formatCount(files, 'file'), plainLine(name)];
}

function table(rows: readonly (readonly string[])[], what: string): string[] {
  const more = rows.length - shownShares;
  return [
    ...tableLines(rows.slice(0, shownShares), aligns),
    ...(more > 0 ? [`and ${formatCount(more, `smaller ${what}`)}`] : []),
  ];
}
