// cairn run: starts an image in an emulated machine, with its console on this terminal.

import { access, constants, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import {
  boardNames,
  findBoardFiles,
  requireTargetOf,
  takeBoardFiles,
  type BoardName,
} from '../images/board.ts';
import { findSeedFiles, placeSeeds } from '../images/boot-partition.ts';
import { builtFolders, sandboxToolOf } from '../images/built-folders.ts';
import { readDescription, type FoundImage, type RunDescription } from '../images/description.ts';
import { findDiskFile } from '../images/disk-file.ts';
import { emulatorOutput, inside, runOnTerminal, type Emulator } from '../images/emulator.ts';
import { requireFreePort } from '../images/free-port.ts';
import { boardCommand, machineCommand } from '../images/machine.ts';
import { makeScratchDisk } from '../images/scratch-disk.ts';
import { openProject, type Project } from '../project/project.ts';
import { openRenderer } from '../render/open-renderer.ts';
import type { FoundOutput } from '../project/targets.ts';
import { parseCount } from './build.ts';

interface RunFlags {
  readonly userData?: string;
  readonly metaData?: string;
  readonly networkConfig?: string;
  readonly sshPort?: number;
  readonly memory?: number;
  readonly cpus?: number;
  readonly kvm?: boolean;
  readonly board?: BoardName;
}

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<image>', 'an image to build, if need be, and start')
    .option('--user-data <file>', 'what cloud-init is to do')
    .option('--meta-data <file>', 'which machine it is, for cloud-init')
    .option('--network-config <file>', 'its network, for cloud-init')
    .option('--ssh-port <port>', 'a port of this machine that leads to its ssh server', parsePort)
    .option('--memory <MB>', 'its memory, when not what the image asks for', parseCount)
    .option('--cpus <count>', 'its processors', parseCount)
    .option('--kvm', "run on this machine's processor instead of emulating one")
    .addOption(
      new Option('--board <name>', 'start it as on this board, from its boot partition')
        .choices(boardNames)
        .conflicts(['memory', 'cpus', 'kvm']),
    )
    .action(runs(run));
  addHelpNotes(command, {
    about:
      'The console is on this terminal; Ctrl-A x ends the machine, and so does switching it off from inside.\n' +
      'The image itself is not changed, and nothing is kept: the next run starts it for the first time again.',
    examples: [
      ['cairn run rpi', 'to its login'],
      ['cairn run rpi --user-data user-data.yaml --ssh-port 2222', 'then: ssh -p 2222 NAME@localhost'],
      ['cairn run pc --kvm --memory 4096', 'at full speed'],
      ['cairn run rpi --board raspi3b', 'in an emulated Raspberry Pi 3, which takes minutes'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1024 && port <= 65_535) return port;
  throw new InvalidArgumentError('Give a number from 1024 to 65535.');
}

async function run(context: Context, flags: RunFlags, target: string): Promise<ExitCode> {
  const { userData, metaData, networkConfig, board } = flags;
  const seeds = await findSeedFiles({
    'user-data': userData,
    'meta-data': metaData,
    'network-config': networkConfig,
  });
  if (flags.sshPort !== undefined) await requireFreePort(flags.sshPort);
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets: [target], emit: renderer.emit });
  const wanted = [project.find(target), findEmulator(project, target)] as const;
  if (board !== undefined) requireTargetOf(board, { what: wanted[0].key });
  const [folder, root] = (await builtFolders(context, { project, renderer }, wanted)) ?? [];
  if (folder === undefined || root === undefined) return exitCodes.buildFailed;
  const image = { folder, what: wanted[0].key };
  const commandFor = await chooseMachine(image, flags);
  const disk = await findDiskFile(image);
  const placed = seeds && (await placeSeeds(image, seeds));
  const scratch = await project.store.scratch('run');
  try {
    const emulator = { root, tool: await sandboxToolOf(project), scratch, disk: disk.path };
    const drive = await makeScratchDisk(emulator, { sizeBytes: disk.sizeBytes, seeds: placed });
    const argv = await commandFor(emulator, drive);
    const devices = flags.kvm === true ? [kvmDevice] : [];
    const { signal } = context;
    const status = await context.interruption.holdDuring(() =>
      runOnTerminal(emulator, { argv, devices, signal }),
    );
    if (signal.aborted) return exitCodes.interrupted;
    return status === 0 ? exitCodes.ok : exitCodes.buildFailed;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Says what is wrong with the machine that was asked for, or gives QEMU's words for it as a function of its disk. */
async function chooseMachine(
  image: FoundImage,
  { board: name, sshPort, kvm = false, memory, cpus = Math.min(4, availableParallelism()) }: RunFlags,
): Promise<(emulator: Emulator, disk: string) => Promise<string[]>> {
  if (name !== undefined) {
    const files = await findBoardFiles(image, name);
    return async (emulator, disk) =>
      boardCommand({ board: await takeBoardFiles(emulator, files), disk, sshPort });
  }
  const description = await readDescription(image, 'run.json');
  if (kvm) await requireKvm(description);
  const { memoryMb } = description;
  const machine = {
    description,
    memoryMb: memory ?? memoryMb,
    cpus,
    kvm,
    sshPort,
    firmware: inside.firmware,
  };
  return (_, disk) => Promise.resolve(machineCommand({ ...machine, disk }));
}

function findEmulator(project: Project, target: string): FoundOutput {
  const [, machine] = target.split('@');
  const name = machine === undefined ? emulatorOutput : `${emulatorOutput}@${machine}`;
  try {
    return project.find(name);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError('TARGET_UNKNOWN', `the config has no output "${emulatorOutput}" to start images in`, {
      hint: 'Give it one: `emulator: emulatorTree(pins)`, from "cairn/derivations".',
      cause: error,
    });
  }
}

const kvmDevice = '/dev/kvm';

async function requireKvm({ machine }: RunDescription): Promise<void> {
  if (machine !== 'q35') {
    throw new UserError('USAGE', '--kvm starts images for x86_64 only: this machine has no other processor', {
      hint: 'Leave it out, and the processor is emulated.',
    });
  }
  try {
    await access(kvmDevice, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw new UserError('ENVIRONMENT_UNSUPPORTED', `--kvm: ${kvmDevice} cannot be used`, {
      hint: 'Switch virtualisation on in the firmware, load the module, or join the group "kvm"; or leave --kvm out.',
      fault: 'environment',
      cause: error,
    });
  }
}
