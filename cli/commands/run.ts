// cairn run: starts an image in an emulated machine, with its console on this terminal, or as a test of what that says.

import { Option } from 'commander';
import { UserError } from '../../store/base/errors.ts';
import type { DefineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { addHelpNotes } from '../help.ts';
import { boardNames, type BoardName } from '../images/board.ts';
import { findSeedFiles } from '../images/boot-partition.ts';
import { composeBehind, eventSwitch } from '../images/compose-behind.ts';
import type { Expectation } from '../images/expect.ts';
import { freePort } from '../images/free-port.ts';
import { collect, parseMemory, parsePort } from '../images/machine-options.ts';
import type { DebugPort } from '../images/machine.ts';
import { readyMachine, type ReadyMachine, type RunWish } from '../images/ready-machine.ts';
import { runOnTerminal, runUntilSaid } from '../images/run-machine.ts';
import { debugOutput, placesOfStep, type DebugOutput } from '../kernel/compile-step.ts';
import { openProject, type Project } from '../project/project.ts';
import { writeRecords } from '../records/write-records.ts';
import { openRenderer } from '../render/open-renderer.ts';
import { parseCount } from './build.ts';

interface RunFlags {
  readonly direct?: boolean;
  readonly append?: readonly string[];
  readonly compose?: boolean;
  readonly userData?: string;
  readonly metaData?: string;
  readonly networkConfig?: string;
  readonly sshPort?: number;
  readonly memory?: number;
  readonly processors?: number;
  readonly kvm?: boolean;
  readonly board?: BoardName;
  readonly expect?: readonly string[];
  readonly timeout?: number;
  readonly gdb?: number;
  readonly gdbWait: boolean;
}

/** How long --expect waits, in seconds: several times what the slowest image takes to its login. */
const usualTimeout = 300;

export const define: DefineCommand = (command, runs) => {
  command
    .argument('<image>', 'an image to build, if need be, and start')
    .option('--direct', 'hand the kernel over, without firmware and before the disk is made')
    .option('--append <text>', "add to the kernel's command line (with --direct or --board)", collect)
    .option('--compose', 'with --direct: make the image itself meanwhile')
    .option('--user-data <file>', 'what cloud-init is to do')
    .option('--meta-data <file>', 'which machine it is, for cloud-init')
    .option('--network-config <file>', 'its network, for cloud-init')
    .option('--ssh-port <port>', 'a port of this machine that leads to its ssh server; 0: any', parsePort)
    .option(
      '--memory <size>',
      'its memory, such as 512M or 2G, when not what the image asks for',
      parseMemory,
    )
    .option('--processors <count>', 'how many processors it has', parseCount)
    .option('--kvm', "run on this machine's processor instead of emulating one")
    .addOption(
      new Option('--board <name>', 'start it as on this board, from its boot partition')
        .choices(boardNames)
        .conflicts(['memory', 'processors', 'kvm', 'direct']),
    )
    .option('--expect <text>', 'a test: done when the console has said this, and every other one', collect)
    .option('--timeout <seconds>', `how long --expect waits (${usualTimeout})`, parseCount)
    .option('--gdb <port>', 'wait for a debugger on this port of this machine; 0: any', parsePort)
    .option('--no-gdb-wait', 'do not wait for it: it may come later')
    .action(runs(run));
  addHelpNotes(command, {
    about:
      'The console is on this terminal; Ctrl-A x ends the machine, and so does switching it off from inside.\n' +
      'The image itself is not changed, and nothing is kept: the next run starts it for the first time again.\n' +
      '\n' +
      'With --direct, QEMU starts the kernel itself on the root partition as it is in the store: only the kernel and the\n' +
      'root are built. It has the same partitions with the same ids as on the disk, but the boot partition holds neither\n' +
      'kernel nor firmware nor device trees, only what a person puts there, and nothing is there that UEFI would offer\n' +
      '(its variables, ACPI on arm64). --append replaces nothing: its words come after those of the image.\n' +
      '\n' +
      'With --expect nothing is read from the terminal, and the console goes to standard output. The machine is ended as\n' +
      'soon as all texts were said, in whatever order; colours and the ends of lines do not matter. It is a failure when\n' +
      'the machine ends before, when its kernel panics, or when the time is over. What cannot be built is a failure with\n' +
      'the same status: `git bisect run` is told so by a `cairn build IMAGE-direct || exit 125` before.',
    examples: [
      ['cairn run rpi', 'to its login'],
      ['cairn run tiny --direct --append quiet', 'a shell within seconds'],
      ['cairn run tiny --direct --expect root@tiny --timeout 60', 'a test, for scripts and git bisect run'],
      ['cairn run tiny --direct --gdb 1234', 'then: gdb, as it says; kernel-tiny-debug has vmlinux'],
      ['cairn run rpi --user-data user-data.yaml --ssh-port 2222', 'then: ssh -p 2222 NAME@localhost'],
      ['cairn run pc --kvm --memory 4G', 'at full speed'],
      ['cairn run rpi --board raspi3b', 'in an emulated Raspberry Pi 3, which takes minutes'],
    ],
    exitCodes: [0, 1, 2, 130],
  });
};

async function run(context: Context, flags: RunFlags, target: string): Promise<ExitCode> {
  const { userData, metaData, networkConfig } = flags;
  const expectation = expectationOf(flags);
  requireSense(flags);
  const seeds = await findSeedFiles({
    'user-data': userData,
    'meta-data': metaData,
    'network-config': networkConfig,
  });
  const wish = await wishOf(flags, { target, seeds });
  const renderer = openRenderer(context);
  const events = eventSwitch(renderer.emit);
  await using project = await openProject(context, { targets: [target], emit: events.emit });
  await project.told;
  await using machine = await readyMachine(context, { project, renderer }, wish);
  if (machine === undefined) return exitCodes.buildFailed;
  tell(context, portLines(flags, wish, project));
  const composed = flags.compose === true ? composeBehind(context, { project, target, events }) : undefined;
  let isComposed = true;
  let status: ExitCode;
  try {
    status = await runToItsEnd(context, machine, expectation);
  } finally {
    if (composed !== undefined && !context.signal.aborted) isComposed = await composed();
  }
  return isComposed ? status : exitCodes.buildFailed;
}

async function runToItsEnd(
  context: Context,
  machine: ReadyMachine,
  expectation: Expectation | undefined,
): Promise<ExitCode> {
  const { signal } = context;
  if (expectation !== undefined) {
    await runUntilSaid(context, machine, { ...expectation, signal });
    return exitCodes.ok;
  }
  const { status } = await runOnTerminal(context, machine, signal);
  if (signal.aborted) return exitCodes.interrupted;
  return status === 0 ? exitCodes.ok : exitCodes.buildFailed;
}

async function wishOf(
  flags: RunFlags,
  { target, seeds }: Pick<RunWish, 'target' | 'seeds'>,
): Promise<RunWish> {
  const { direct = false, board, append = [], memory, processors, kvm = false } = flags;
  const sshPort = flags.sshPort === undefined ? undefined : await freePort(flags.sshPort);
  const debug: DebugPort | undefined =
    flags.gdb === undefined ? undefined : { port: await freePort(flags.gdb), waits: flags.gdbWait };
  // A debugger knows the addresses that the kernel was linked for.
  const appended = debug !== undefined && (direct || board !== undefined) ? ['nokaslr', ...append] : append;
  const way = board ?? (direct ? 'direct' : 'disk');
  return { target, way, appended, seeds, sshPort, debug, memoryMb: memory, processors, kvm };
}

function expectationOf({ expect, timeout = usualTimeout }: RunFlags): Expectation | undefined {
  return expect && { texts: expect, timeoutMs: timeout * 1000 };
}

function tell({ out, err, shared }: Context, lines: readonly string[]): void {
  if (shared.json !== true) err.lines(lines);
  else
    writeRecords(
      out,
      lines.map((message) => ({ type: 'notice', message: message.trim() })),
    );
}

/** @throws UserError `USAGE` for an option that means nothing without another one. */
function requireSense({ direct, board, append, compose, expect, timeout, gdb, gdbWait }: RunFlags): void {
  const needs = (option: string, other: string, hint: string): never => {
    throw new UserError('USAGE', `${option} means nothing without ${other}`, { hint });
  };
  if (append !== undefined && direct !== true && board === undefined)
    needs(
      '--append',
      '--direct or --board',
      "The firmware starts the kernel from the disk with the words that are built into it: say --direct, or change the image's own.",
    );
  if (compose === true && direct !== true)
    needs('--compose', '--direct', 'Without --direct the image is made before the machine starts.');
  if (timeout !== undefined && expect === undefined)
    needs('--timeout', '--expect', 'Say what the console is expected to say.');
  if (!gdbWait && gdb === undefined) needs('--no-gdb-wait', '--gdb', 'Name a port for the debugger.');
}

function portLines(
  { sshPort: namedSsh, gdbWait, direct, board }: RunFlags,
  { sshPort, debug, target }: RunWish,
  project: Project,
): string[] {
  const lines: string[] = [];
  if (namedSsh === 0) lines.push(`ssh: port ${sshPort} of localhost`);
  if (debug !== undefined) {
    const records = debugOutput(project, target);
    lines.push(`gdb: ${attachLine(records, debug.port)}`);
    if (records !== undefined)
      lines.push(`     The first time, cairn build ${records.key} makes what it reads.`);
    if (gdbWait) lines.push('     The machine waits for it; `continue` starts it.');
    if (direct !== true && board === undefined)
      lines.push('     The kernel is where chance has put it; with --direct it is where vmlinux says.');
  }
  return lines;
}

// Records have paths as the step that compiled them saw them.
function attachLine(records: DebugOutput | undefined, port: number): string {
  const remote = `-ex 'target remote :${port}'`;
  if (records === undefined) return `gdb vmlinux ${remote}`;
  const { key, ownSource } = records;
  const sources =
    ownSource === undefined ? '' : `-ex 'set substitute-path ${placesOfStep.source} ${ownSource}' `;
  return `gdb "$(cairn path ${key})/vmlinux" ${sources}${remote}`;
}
