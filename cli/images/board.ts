// Boards that QEMU knows without their firmware, so that it has to be handed what the firmware would read: kernel, device
// tree and command line, out of the image's own boot partition.

import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../../store/base/errors.ts';
import { bootPartitionOf } from './boot-partition.ts';
import { settingFor } from './config-txt.ts';
import { readDescription, type FoundImage } from './description.ts';
import { inside, runTool, type Emulator } from './emulator.ts';

interface Board {
  readonly target: string;
  /** Names that sections of config.txt have for it. */
  readonly filters: readonly string[];
  readonly deviceTree: string;
  /** The serial port that is on the terminal, as Linux names it. */
  readonly console: string;
}

export const boards = {
  raspi3b: {
    target: 'aarch64-linux',
    filters: ['pi3'],
    deviceTree: 'bcm2837-rpi-3-b.dtb',
    console: 'ttyS1,115200',
  },
} as const satisfies Readonly<Record<string, Board>>;

/** The firmware's settings, and its kernel and command line when they do not say which. */
const usual = { settings: 'config.txt', kernel: 'kernel8.img', commandLine: 'cmdline.txt' } as const;

/** As QEMU calls them. */
export type BoardName = keyof typeof boards;

export const boardNames = Object.keys(boards) as readonly BoardName[];

/** A board's files, taken out: paths as QEMU sees them, and the text of the command line. */
export interface BoardStart {
  readonly name: BoardName;
  readonly kernel: string;
  readonly deviceTree: string;
  readonly commandLine: string;
}

/** @throws UserError `USAGE` when an image is not for that board's processor. */
export function requireTargetOf(name: BoardName, { what }: Pick<FoundImage, 'what'>): void {
  const { target } = boards[name];
  if (what.endsWith(`@${target}`)) return;
  throw new UserError('USAGE', `--board ${name} starts images for ${target} only, which ${what} is not`, {
    hint: 'Leave --board out, and the image starts in the machine that it names.',
  });
}

/** Where an image has what a board starts from. */
interface BoardFiles {
  readonly name: BoardName;
  readonly image: FoundImage;
  /** Where the boot partition begins. */
  readonly offsetBytes: number;
  /** The paths in it. */
  readonly present: ReadonlySet<string>;
}

/** @throws UserError `USAGE` when the image is not one that a board like this starts. */
export async function findBoardFiles(image: FoundImage, name: BoardName): Promise<BoardFiles> {
  const { offsetBytes } = (await bootPartitionOf(image)) ?? { offsetBytes: 0 };
  const files = await readDescription(image, 'files.json');
  const paths = files.map(({ path }) => path).filter((path) => path.startsWith('boot/'));
  const found = {
    name,
    image,
    offsetBytes,
    present: new Set(paths.map((path) => path.slice('boot/'.length))),
  };
  requirePresent(found, [usual.settings, usual.commandLine, boards[name].deviceTree]);
  return found;
}

/**
 * Takes them out, into the scratch folder; `appended` are further words of the command line.
 * @throws UserError `USAGE` when the kernel is not there.
 */
export async function takeBoardFiles(
  emulator: Emulator,
  found: BoardFiles,
  appended: readonly string[],
): Promise<BoardStart> {
  const { filters, deviceTree, console } = boards[found.name];
  const settings = await takeText(emulator, found, usual.settings);
  const kernel = settingFor(filters, 'kernel', settings) ?? usual.kernel;
  requirePresent(found, [kernel]);
  return {
    name: found.name,
    kernel: await take(emulator, found, kernel),
    deviceTree: await take(emulator, found, deviceTree),
    commandLine: [
      withLastConsole(await takeText(emulator, found, usual.commandLine), console),
      ...appended,
    ].join(' '),
  };
}

function requirePresent({ name, image, present }: BoardFiles, paths: readonly string[]): void {
  const missing = paths.filter((path) => !present.has(path));
  if (missing.length === 0) return;
  throw new UserError(
    'USAGE',
    `${image.what} has no ${missing.join(', ')} for --board ${name} to start from`,
    {
      hint: 'Images for a Raspberry Pi have these files in their boot partition.',
    },
  );
}

/** Gives the path of the copy, as the emulator sees it. */
async function take(emulator: Emulator, { offsetBytes }: BoardFiles, path: string): Promise<string> {
  const copy = `${inside.scratch}/${path.replaceAll('/', '-')}`;
  await runTool(emulator, ['mcopy', '-n', '-i', `${inside.disk}@@${offsetBytes}`, `::${path}`, copy]);
  return copy;
}

async function takeText(emulator: Emulator, found: BoardFiles, path: string): Promise<string> {
  return readFile(join(emulator.scratch, basename(await take(emulator, found, path))), 'utf8');
}

/** Linux's command line with that console as the last one: it is where services write, and where a login is offered. */
export function withLastConsole(commandLine: string, console: string): string {
  const [device] = console.split(',');
  const others = commandLine
    .trim()
    .split(/\s+/)
    .filter((word) => word !== `console=${device}` && !word.startsWith(`console=${device},`));
  return [...others, `console=${console}`].join(' ');
}
