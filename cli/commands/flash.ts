// cairn flash: an image onto a card or disk, checked before and after.

import { UserError } from '../../store/base/errors.ts';
import { askYes, canAsk } from '../terminal/ask.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { claimDevice } from '../flash/claim-device.ts';
import { lookAtDevice, type Device } from '../flash/device.ts';
import { contentOfImage, contentOfParts, writtenBytes, type DiskContent } from '../flash/disk-content.ts';
import { verifyContent, writeContent, type Progress } from '../flash/write-device.ts';
import { addHelpNotes } from '../help.ts';
import { builtFolders } from '../images/built-folders.ts';
import { openProject, type Project } from '../project/project.ts';
import { meter } from '../render/meter.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { plainLine } from '../render/plain-text.ts';
import { tableLines } from '../render/table.ts';
import { formatBytes, formatDuration } from '../render/units.ts';
import type { FoundOutput } from '../project/targets.ts';
import { writeRecords } from '../records/write-records.ts';

interface FlashFlags {
  readonly direct?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<image>', 'an image to build, if need be, and write')
    .argument('<device>', 'a card or disk, such as /dev/sdb')
    .option('--direct', 'from the partitions themselves, without building the image file')
    .option('--force', 'also if the device is mounted or not removable')
    .option('-y, --yes', 'do not ask')
    .action(runs(flash));
  addHelpNotes(command, {
    about:
      'Only blocks that hold something are written. Afterwards they are read back from the device and compared.\n' +
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
  refuseDoubtful(device, flags);
  if (flags.yes !== true && !canAsk(context)) {
    throw new UserError('USAGE', `there is nobody to ask whether all on ${device.path} may be lost`, {
      hint: 'Say --yes if it may.',
    });
  }
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets: [target], emit: renderer.emit });
  const wanted = flags.direct === true ? findParts(project, target) : project.find(target);
  const [folder] = (await builtFolders(context, { project, renderer }, [wanted])) ?? [];
  if (folder === undefined) return exitCodes.buildFailed;
  const read = flags.direct === true ? contentOfParts : contentOfImage;
  const content = await read({ folder, what: wanted.key });
  refuseSmall(device, { content, what: wanted.key });
  context.err.lines(deviceLines(device));
  const question = `Write ${wanted.key} (${formatBytes(writtenBytes(content))}) to ${device.path}, and lose all that is on it?`;
  if (flags.yes !== true && !(await askYes(context, question))) {
    context.err.lines(['nothing was written']);
    return exitCodes.buildFailed;
  }
  await put(context, { content, device, flags });
  return exitCodes.ok;
}

function refuseDoubtful({ path, doubts }: Device, { force }: FlashFlags): void {
  if (force === true || doubts.length === 0) return;
  throw new UserError('DEVICE_UNSUITABLE', `${path} ${doubts.map(plainLine).join('; it ')}`, {
    hint: 'Unmount it, or name another one. If it is the right one nevertheless: --force.',
    fault: 'environment',
  });
}

function refuseSmall(device: Device, { content, what }: { content: DiskContent; what: string }): void {
  const missing = content.sizeBytes - device.sizeBytes;
  if (missing <= 0) return;
  throw new UserError(
    'DEVICE_UNSUITABLE',
    `${device.path} is too small: it has ${formatBytes(device.sizeBytes)}, and ${what} takes ${formatBytes(content.sizeBytes)}`,
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

async function put(
  context: Context,
  { content, device, flags }: { content: DiskContent; device: Device; flags: FlashFlags },
): Promise<void> {
  const startedMs = performance.now();
  const totalBytes = writtenBytes(content);
  const handle = await claimDevice(device, { byForce: flags.force === true });
  let verifyMs: number;
  try {
    const written = await watched(context, { label: 'writing', totalBytes }, (progress) =>
      writeContent(handle, content, progress),
    );
    verifyMs = performance.now();
    await watched(context, { label: 'reading back', totalBytes }, (progress) =>
      verifyContent(device.path, written, progress),
    );
  } finally {
    await handle.close();
  }
  const { out, err, shared } = context;
  const durationMs = performance.now() - startedMs;
  if (shared.json === true) {
    writeRecords(out, [{ type: 'flashed', device: device.path, writtenBytes: totalBytes, durationMs }]);
    return;
  }
  const times = `${formatDuration(verifyMs - startedMs)} to write, ${formatDuration(durationMs - verifyMs + startedMs)} to read back`;
  err.lines([
    `wrote ${formatBytes(totalBytes)} of ${formatBytes(content.sizeBytes)}, and it reads back the same (${times})`,
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
