// Boards that QEMU knows without their firmware, so that it has to be handed what the firmware would read: kernel, device
// tree and command line, out of the image's own boot partition.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../store/base/errors.ts';
import { bootPartitionOf } from './boot-partition.ts';
import { readDescription, type FoundImage } from './description.ts';
import { inside, runTool, type Emulator } from './emulator.ts';

interface Board {
  readonly target: string;
  /** Files of the boot partition. */
  readonly kernel: string;
  readonly deviceTree: string;
  readonly commandLine: string;
  /** The serial port that is on the terminal, as Linux names it. */
  readonly console: string;
}

export const boards = {
  raspi3b: {
    target: 'aarch64-linux',
    kernel: 'kernel8.img',
    deviceTree: 'bcm2837-rpi-3-b.dtb',
    commandLine: 'cmdline.txt',
    console: 'ttyS1,115200',
  },
} as const satisfies Readonly<Record<string, Board>>;

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

/** What a board starts from, and where in the image it is. */
interface BoardFiles {
  readonly name: BoardName;
  /** Where the boot partition begins. */
  readonly offsetBytes: number;
}

/** @throws UserError `USAGE` when the image does not have what the board starts from. */
export async function findBoardFiles(image: FoundImage, name: BoardName): Promise<BoardFiles> {
  const partition = await bootPartitionOf(image);
  const present = new Set((await readDescription(image, 'files.json')).map(({ path }) => path));
  const missing = filesOf(name).filter((file) => !present.has(`boot/${file}`));
  if (partition !== undefined && missing.length === 0) return { name, offsetBytes: partition.offsetBytes };
  throw new UserError(
    'USAGE',
    `${image.what} has no ${missing.join(', ')} for --board ${name} to start from`,
    {
      hint: 'Images for a Raspberry Pi have these files in their boot partition.',
    },
  );
}

/** Takes them out, into the scratch folder. */
export async function takeBoardFiles(
  emulator: Emulator,
  { name, offsetBytes }: BoardFiles,
): Promise<BoardStart> {
  const files = filesOf(name).map((file) => `::${file}`);
  await runTool(emulator, ['mcopy', '-n', '-i', `${inside.disk}@@${offsetBytes}`, ...files, inside.scratch]);
  const { kernel, deviceTree, commandLine, console } = boards[name];
  const text = await readFile(join(emulator.scratch, commandLine), 'utf8');
  return {
    name,
    kernel: `${inside.scratch}/${kernel}`,
    deviceTree: `${inside.scratch}/${deviceTree}`,
    commandLine: withLastConsole(text, console),
  };
}

function filesOf(name: BoardName): readonly string[] {
  const { kernel, deviceTree, commandLine } = boards[name];
  return [kernel, deviceTree, commandLine];
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
