// The flake's emulator tree and how its programs are started: in a sandbox that sees the tree, one scratch folder and the
// image. Knows nothing of what they do there.

import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { ChildProcess } from 'node:child_process';
import { startProgram, type Program, type SandboxTool } from '../../engine/sandbox/index.ts';
import { UserError } from '../../store/base/errors.ts';

/** The output that a flake with images has. */
export const emulatorOutput = 'emulator';

/** Paths as the programs see them. */
export const inside = {
  disk: '/disk.img',
  parts: '/parts',
  scratch: '/scratch',
  firmware: '/usr/share/firmware',
} as const;

export interface Emulator {
  /** Where the emulator's tree lies. */
  readonly root: string;
  readonly tool: SandboxTool;
  /** A folder of this machine that the programs may write to. */
  readonly scratch: string;
  /** What they may read of the image: files and folders of this machine, by the paths in `inside`. */
  readonly readable: Readonly<Record<string, string>>;
}

/** Runs a program to its end. @throws UserError `ENVIRONMENT_UNSUPPORTED` with what it said when it fails. */
export async function runTool(
  emulator: Emulator,
  argv: readonly string[],
  readable: Readonly<Record<string, string>> = {},
): Promise<void> {
  const program = programOf(emulator, { argv, readable });
  const child = await startProgram(program, { tool: emulator.tool, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, { status }] = await Promise.all([text(child.stdout!), text(child.stderr!), endOf(child)]);
  if (status === 0) return;
  throw new UserError('ENVIRONMENT_UNSUPPORTED', `${argv[0]!} failed: ${`${err}${out}`.trim()}`, {
    fault: 'environment',
  });
}

export interface MachineStart {
  readonly argv: readonly string[];
  /** Device nodes, such as /dev/kvm. */
  readonly devices: readonly string[];
  /** Whose standard input, output and error it has. */
  readonly stdio: readonly ['inherit' | 'ignore', 'inherit' | 'pipe', 'inherit' | 'pipe'];
}

/** Starts a machine; it can be reached from this one's network. */
export function startMachine(emulator: Emulator, { stdio, ...more }: MachineStart): Promise<ChildProcess> {
  return startProgram(programOf(emulator, { ...more, sharesNetwork: true }), { tool: emulator.tool, stdio });
}

function programOf({ root, scratch, readable }: Emulator, more: Omit<Program, 'root'>): Program {
  return {
    root,
    ...more,
    readable: { ...readable, ...more.readable },
    writable: { [inside.scratch]: scratch },
  };
}

/** How a process ended: one of the two. */
export interface ProcessEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Waits until a process has ended and everything that it wrote has been read. */
export async function endOf(child: ChildProcess): Promise<ProcessEnd> {
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal };
}

/** Asks a process to end, makes it when it does not, and waits until it has. */
export async function endInTime(child: ChildProcess, ended: Promise<ProcessEnd>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended.finally(() => clearTimeout(timer));
}

/** QEMU ends within a moment of being asked; one that is stuck in a device does not. */
const patienceMs = 5000;
