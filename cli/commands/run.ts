// cairn run: starts an image in an emulated machine, with its console on this terminal.

import { access, constants, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { isErrno, UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { builtFolders, sandboxToolOf } from '../images/built-folders.ts';
import { readDescription, type RunDescription } from '../images/description.ts';
import { findDiskFile } from '../images/disk-file.ts';
import { emulatorOutput, inside, runOnTerminal } from '../images/emulator.ts';
import { requireFreePort } from '../images/free-port.ts';
import { machineCommand } from '../images/machine.ts';
import { makeScratchDisk, type Seeds } from '../images/scratch-disk.ts';
import { openProject, type Project } from '../project.ts';
import { openRenderer } from '../render/open-renderer.ts';
import type { FoundOutput } from '../targets.ts';
import { parseCount } from './build.ts';

interface RunFlags {
  readonly userData?: string;
  readonly metaData?: string;
  readonly networkConfig?: string;
  readonly sshPort?: number;
  readonly memory?: number;
  readonly cpus?: number;
  readonly kvm?: boolean;
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
    .action(runs(run));
  addHelpNotes(command, {
    about:
      'The console is on this terminal; Ctrl-A x ends the machine, and so does switching it off from inside.\n' +
      'The image itself is not changed, and nothing is kept: the next run starts it for the first time again.',
    examples: [
      ['cairn run rpi', 'to its login'],
      ['cairn run rpi --user-data user-data.yaml --ssh-port 2222', 'then: ssh -p 2222 NAME@localhost'],
      ['cairn run pc --kvm --memory 4096', 'at full speed'],
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
  const seeds = await seedFiles(flags);
  if (flags.sshPort !== undefined) await requireFreePort(flags.sshPort);
  const renderer = openRenderer(context);
  await using project = await openProject(context, { targets: [target], emit: renderer.emit });
  const wanted = [project.find(target), findEmulator(project, target)] as const;
  const [folder, root] = (await builtFolders(context, { project, renderer }, wanted)) ?? [];
  if (folder === undefined || root === undefined) return exitCodes.buildFailed;
  const image = { folder, what: wanted[0].key };
  const description = await readDescription(image, 'run.json');
  const disk = await findDiskFile(image);
  if (flags.kvm === true) await requireKvm(description);
  const scratch = await project.store.scratch('run');
  try {
    const emulator = { root, tool: await sandboxToolOf(project), scratch, disk: disk.path };
    const drive = await makeScratchDisk(emulator, {
      sizeBytes: disk.sizeBytes,
      seeds: seeds && (await placedSeeds(image, seeds)),
    });
    const argv = machineCommand({
      description,
      memoryMb: flags.memory ?? description.memoryMb,
      cpus: flags.cpus ?? Math.min(4, availableParallelism()),
      kvm: flags.kvm === true,
      sshPort: flags.sshPort,
      disk: drive,
      firmware: inside.firmware,
    });
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

/** The person's files by their name in the boot partition; undefined when there are none. */
async function seedFiles(flags: RunFlags): Promise<Seeds['files'] | undefined> {
  const named = {
    'user-data': flags.userData,
    'meta-data': flags.metaData,
    'network-config': flags.networkConfig,
  };
  const given = Object.entries(named).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, resolve(path)] as const],
  );
  for (const [name, path] of given) await requireFile(name, path);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

async function requireFile(name: string, path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP')) throw error;
  }
  throw new UserError('USAGE', `--${name}: ${path} is not a file that can be read`, {
    hint: 'Name a file; the README has an example of user-data.',
  });
}

async function placedSeeds(
  image: { readonly folder: string; readonly what: string },
  files: Seeds['files'],
): Promise<Seeds> {
  const { partitions } = await readDescription(image, 'manifest.json');
  const partition = partitions.find(({ role }) => role === 'boot');
  if (partition !== undefined) return { partition, files };
  throw new UserError(
    'USAGE',
    `${image.what} has no boot partition to put ${Object.keys(files).join(', ')} into`,
    {
      hint: 'Only images with cloud-init read these files.',
    },
  );
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
