// From what a person wants to run to a machine that can be started: what it takes is built, its disk is made. Knows
// nothing of who looks at its console.

import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { UserError } from '../../store/base/errors.ts';
import type { Context } from '../context.ts';
import type { Project } from '../project/project.ts';
import { wantedOutputIfAny, type FoundOutput } from '../project/named-outputs.ts';
import type { OpenRenderer } from '../render/open-renderer.ts';
import { joinedDisk, wholeDisk } from './base-disk.ts';
import { findBoardFiles, requireTargetOf, takeBoardFiles, type BoardName } from './board.ts';
import { placeSeeds, type SeedFiles } from './boot-partition.ts';
import { builtFolders, sandboxToolOf } from './built-folders.ts';
import { readDescription, type FoundImage } from './description.ts';
import { emulatorOutput, inside, type Emulator } from './emulator.ts';
import { boardCommand, machineCommand, type DebugPort, type Start } from './machine.ts';
import { kvmDevice, requireBounds, requireKvm } from './machine-limits.ts';
import { makeScratchDisk } from './scratch-disk.ts';

export interface RunWish {
  /** The image, as it was named. */
  readonly target: string;
  /** From its disk with its firmware, with the kernel handed over, or from its boot partition as on a board. */
  readonly way: 'disk' | 'direct' | BoardName;
  /** Further words of the kernel's command line; only firmware takes none. */
  readonly appended: readonly string[];
  readonly seeds: SeedFiles | undefined;
  readonly sshPort: number | undefined;
  readonly debug: DebugPort | undefined;
  /** Those that the image asks for, when not given. */
  readonly memoryMb: number | undefined;
  readonly processors: number | undefined;
  readonly kvm: boolean;
}

/** A machine that nothing keeps from being started. Dispose of it when it has ended: what it wrote is gone then. */
export interface ReadyMachine extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly argv: readonly string[];
  readonly devices: readonly string[];
}

/**
 * Builds what a machine is started from, and prepares it. Undefined when something failed; then it has been said what.
 * @throws UserError `USAGE` for what this image or its machine cannot be started with
 */
export async function readyMachine(
  context: Context,
  { project, renderer }: { readonly project: Project; readonly renderer: OpenRenderer },
  wish: RunWish,
): Promise<ReadyMachine | undefined> {
  const { way, kvm } = wish;
  const image = project.find(wish.target);
  if (way !== 'disk' && way !== 'direct') requireTargetOf(way, { what: image.key });
  const wanted = outputsToRun(project, wish);
  const [folder, root] = (await builtFolders(context, { project, renderer }, wanted)) ?? [];
  if (folder === undefined || root === undefined) return undefined;
  const found = { folder, what: image.key };
  const commandFor = await (way === 'disk' || way === 'direct'
    ? ownMachine(found, { ...wish, way })
    : boardMachine(found, { ...wish, way }));
  const base = await (way === 'direct' ? joinedDisk(found) : wholeDisk(found));
  const seeds = wish.seeds && placeSeeds(image.key, base.boot, wish.seeds);
  const scratch = await project.store.scratch('run');
  const dispose = (): Promise<void> => rm(scratch, { recursive: true, force: true });
  try {
    const emulator = { root, tool: await sandboxToolOf(project), scratch, readable: base.readable };
    const disk = await makeScratchDisk(emulator, { base, seeds });
    const argv = await commandFor(emulator, disk);
    return { emulator, argv, devices: kvm ? [kvmDevice] : [], [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** What has to be built for a machine: what it is started from, and the emulator. @throws UserError `TARGET_UNKNOWN`, `USAGE` */
export function outputsToRun(
  project: Findable,
  { target, way }: Pick<RunWish, 'target' | 'way'>,
): readonly [FoundOutput, FoundOutput] {
  const image = project.find(target);
  return [way === 'direct' ? findDirect(project, image) : image, findEmulator(project, target)];
}

type Findable = Pick<Project, 'find' | 'evaluation'>;

/** QEMU's words as a function of the disk, once it is clear that there can be such a machine. */
type CommandFor = (emulator: Emulator, disk: string) => Promise<readonly string[]>;

async function boardMachine(
  image: FoundImage,
  { way, appended, sshPort, debug }: RunWish & { readonly way: BoardName },
): Promise<CommandFor> {
  const files = await findBoardFiles(image, way);
  return async (emulator, disk) =>
    boardCommand({ board: await takeBoardFiles(emulator, files, appended), disk, sshPort, debug });
}

async function ownMachine(image: FoundImage, wish: RunWish): Promise<CommandFor> {
  const { way, appended, kvm, sshPort, debug } = wish;
  const description = await readDescription(image, 'run.json');
  const { memoryMb = description.memoryMb, processors = Math.min(4, availableParallelism()) } = wish;
  requireBounds(description, { memoryMb, processors });
  if (kvm) await requireKvm(description);
  const start: Start =
    way === 'disk'
      ? { kind: 'firmware' }
      : {
          kind: 'kernel',
          kernel: `${inside.parts}/kernel`,
          commandLine: [(await readDescription(image, 'direct.json')).commandLine, ...appended].join(' '),
        };
  const { firmware } = inside;
  const machine = { description, start, memoryMb, processors, kvm, sshPort, debug, firmware };
  return (_, disk) => Promise.resolve(machineCommand({ ...machine, disk }));
}

function findDirect(project: Findable, image: FoundOutput): FoundOutput {
  const [name = '', target = ''] = image.key.split('@');
  const found = wantedOutputIfAny(project.evaluation, `${name}-direct@${target}`);
  if (found !== undefined) return found;
  throw new UserError(
    'USAGE',
    `${image.key} cannot be started directly: the config has no output "${name}-direct"`,
    {
      hint: 'For your own images, `outputsOfImage` of "cairn-build/derivations" gives it when their description says `direct`; or leave --direct out.',
    },
  );
}

function findEmulator(project: Findable, target: string): FoundOutput {
  const [, machine] = target.split('@');
  const name = machine === undefined ? emulatorOutput : `${emulatorOutput}@${machine}`;
  try {
    return project.find(name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('TARGET_UNKNOWN', `the config has no output "${emulatorOutput}" to start images in`, {
      hint: 'Give it one: `emulator: emulatorTree(pins)`, from "cairn-build/derivations".',
      cause: error,
    });
  }
}
