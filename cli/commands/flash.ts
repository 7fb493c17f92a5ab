// cairn flash: an image onto a card or disk, checked before and after.

import { UserError } from '../../store/base/errors.ts';
import { askYes, canAsk } from '../terminal/ask.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { claimDevice } from '../flash/claim-device.ts';
import { lookAtDevice, type Device } from '../flash/device.ts';
import { blanksOf } from '../flash/blanks.ts';
import {
  contentOfImage,
  contentOfParts,
  firstBytes,
  writtenBytes,
  type DiskContent,
  type Piece,
} from '../flash/disk-content.ts';
import { parsePartitionTable, partitionTableBytes, type PartitionTable } from '../flash/partition-table.ts';
import { rereadTable } from '../flash/reread-table.ts';
import { verifyContent, writeContent, type Progress } from '../flash/write-device.ts';
import { addHelpNotes } from '../help.ts';
import { builtFolders } from '../images/built-folders.ts';
import { openProject, type Project } from '../project/project.ts';
import { meter } from '../render/meter.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { plainLine } from '../render/plain-text.ts';
import { tableLines } from '../render/table.ts';
import { formatBytes, formatCount, formatDuration } from '../render/units.ts';
import type { FoundOutput } from '../project/named-outputs.ts';
import { writeRecords } from '../records/write-records.ts';

interface FlashFlags {
  readonly direct?: boolean;
  readonly force?: boolean;
  readonly inUse?: boolean;
  readonly yes?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<image>', 'an image to build, if need be, and write')
    .argument('<device>', 'a card or disk, such as /dev/sdb')
    .option('--direct', 'from the partitions themselves, without building the image file')
    .option('--force', 'also if the device is not removable, or not a whole one')
    .option('--in-use', 'also if it seems to be in use, unless the kernel says so, too')
    .option('-y, --yes', 'do not ask')
    .action(runs(flash));
  addHelpNotes(command, {
    about:
      'Only blocks that hold something are written, and zeros where traces of what was there before could be found.\n' +
      'Afterwards they are read back from the device and compared. The partition table comes last: a device that was not\n' +
      'written to its end has none.\n' +
      'The partition for data grows to the size of the device at its first start.',
    examples: [
      ['cairn flash rpi /dev/sdb', 'shows what is there, asks, writes, checks'],
      ['cairn flash rpi /dev/sdb --direct --yes', 'for scripts'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

async function flash(context: Context, flags: FlashFlags, target: string, named: string): Promise<ExitCode> {
  const device = await lookAtDevice(named);
  refuseUsed(device, flags);
  refuseDoubtful(device, flags);
  if (flags.yes !== true && !canAsk(context)) {
    throw new UserError('USAGE', `there is nobody to ask whether all on ${device.path} may be lost`, {
      hint: 'Say --yes if it may.',
    });
  }
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets: [target], emit: renderer.emit });
  await project.told;
  const wanted = flags.direct === true ? findParts(project, target) : project.find(target);
  const [folder] = (await builtFolders(context, { project, renderer }, [wanted])) ?? [];
  if (folder === undefined) return exitCodes.buildFailed;
  const read = flags.direct === true ? contentOfParts : contentOfImage;
  const content = await read({ folder, what: wanted.key });
  refuseSmall(device, { content, what: wanted.key });
  const table = parsePartitionTable(await firstBytes(content, partitionTableBytes));
  refuseSectors(device, { table, what: wanted.key });
  context.err.lines(deviceLines(device));
  const question = `Write ${wanted.key} (${formatBytes(writtenBytes(content))}) to ${device.path}, and lose all that is on it?`;
  if (flags.yes !== true && !(await askYes(context, question))) {
    context.err.lines(['nothing was written']);
    return exitCodes.buildFailed;
  }
  const blanks = blanksOf(content, { deviceBytes: device.sizeBytes, partitions: table?.partitions ?? [] });
  await put(context, { content, blanks, device });
  return exitCodes.ok;
}

function refuseUsed({ path, uses }: Device, { inUse }: FlashFlags): void {
  if (inUse === true || uses.length === 0) return;
  throw new UserError('DEVICE_UNSUITABLE', `${path} ${uses.map(plainLine).join('; it ')}`, {
    hint: 'Unmount it, swapoff it, or stop what is made of it; or name another one.',
    fault: 'environment',
  });
}

// A table says where partitions are in sectors: counted in larger ones, they are somewhere else.
function refuseSectors(
  { path, sectorBytes }: Device,
  { table, what }: { readonly table: PartitionTable | undefined; readonly what: string },
): void {
  if (sectorBytes === undefined || table === undefined || sectorBytes === table.sectorBytes) return;
  throw new UserError(
    'DEVICE_UNSUITABLE',
    `${path} has sectors of ${sectorBytes} bytes, and ${what} is laid out for ${table.sectorBytes}: it would not start`,
    { hint: 'Use another one. Nothing was written.', fault: 'environment' },
  );
}

function refuseDoubtful({ path, doubts }: Device, { force }: FlashFlags): void {
  if (force === true || doubts.length === 0) return;
  throw new UserError('DEVICE_UNSUITABLE', `${path} ${doubts.map(plainLine).join('; it ')}`, {
    hint: 'Name another one. If it is the right one nevertheless: --force.',
    fault: 'environment',
  });
}

function refuseSmall(device: Device, { content, what }: { content: DiskContent; what: string }): void {
  const missing = content.sizeBytes - device.sizeBytes;
  if (missing <= 0) return;
  const sizes = [device.sizeBytes, content.sizeBytes];
  const short = sizes.map(formatBytes);
  const [has, takes] = short[0] === short[1] ? sizes.map((size) => formatCount(size, 'byte')) : short;
  throw new UserError(
    'DEVICE_UNSUITABLE',
    `${device.path} is too small: it has ${has}, and ${what} takes ${takes}`,
    { hint: `Use a larger one. Nothing was written.`, fault: 'environment' },
  );
}

function findParts(project: Project, target: string): FoundOutput {
  const [name = '', machine] = target.split('@');
  const parts = `${name}-partitions${machine === undefined ? '' : `@${machine}`}`;
  project.find(target);
  try {
    return project.find(parts);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      'TARGET_UNKNOWN',
      `the config has no output "${parts}" with the partitions of ${target}`,
      {
        hint: 'Leave --direct out.',
        cause: error,
      },
    );
  }
}

function deviceLines({ path, sizeBytes, model, parts }: Device): string[] {
  const rows = parts.map((part) => [`  ${part.name}`, formatBytes(part.sizeBytes), part.content]);
  return [
    `${path}  ${plainLine(model)}, ${formatBytes(sizeBytes)}${parts.length === 0 ? ', no partitions' : ''}`,
    ...tableLines(rows, ['left', 'right']).map(plainLine),
  ];
}

interface Writing {
  readonly content: DiskContent;
  /** What has to be zero besides. */
  readonly blanks: readonly Piece[];
  readonly device: Device;
}

async function put(context: Context, { content, blanks, device }: Writing): Promise<void> {
  const startedMs = performance.now();
  const all = { ...content, pieces: [...blanks, ...content.pieces] };
  const totalBytes = writtenBytes(content);
  const label = { writing: 'writing', reading: 'reading back' };
  const handle = await claimDevice(device);
  let verifyMs: number | undefined;
  try {
    const written = await watched(
      context,
      { label: label.writing, totalBytes: writtenBytes(all) },
      (progress) => writeContent(handle, all, progress),
    );
    verifyMs = performance.now();
    await watched(context, { label: label.reading, totalBytes: writtenBytes(all) }, (progress) =>
      verifyContent({ handle, path: device.path }, written, progress),
    );
  } catch (error) {
    if (context.signal.aborted && context.shared.json !== true) {
      context.err.lines([
        verifyMs === undefined
          ? `what is on ${device.path} now is not usable: write to it again`
          : `${device.path} is written, and was not read back`,
      ]);
    }
    throw error;
  } finally {
    await handle.close();
  }
  const { out, err, shared } = context;
  const durationMs = performance.now() - startedMs;
  const hasNoTable = device.isFile || device.isPartition;
  const hasNewTable = hasNoTable || (await rereadTable(device.path));
  if (shared.json === true) {
    writeRecords(out, [{ type: 'flashed', device: device.path, writtenBytes: totalBytes, durationMs }]);
    return;
  }
  const times = `${formatDuration(verifyMs - startedMs)} to write, ${formatDuration(durationMs - verifyMs + startedMs)} to read back`;
  err.lines([
    `wrote ${formatBytes(totalBytes)} of ${formatBytes(content.sizeBytes)}, and it reads back the same (${times})`,
    ...(hasNewTable
      ? []
      : [`this machine still has the old partitions of ${device.path}: take it out and put it in again`]),
  ]);
}

async function watched<T>(
  { err, shared, signal }: Context,
  { label, totalBytes }: { readonly label: string; readonly totalBytes: number },
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const line = meter(err, { label, isQuiet: shared.json === true });
  try {
    return await work({ signal, update: (doneBytes) => line.update(doneBytes, totalBytes) });
  } finally {
    line.close();
  }
}
