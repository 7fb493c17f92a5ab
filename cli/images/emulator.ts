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
export const inside = { disk: '/disk.img', scratch: '/scratch', firmware: '/usr/share/firmware' } as const;

export interface Emulator {
  /** Where the emulator's tree lies. */
  readonly root: string;
  readonly tool: SandboxTool;
  /** A folder of this machine that the programs may write to. */
  readonly scratch: string;
  /** The image's disk, which they may read. */
  readonly disk: string;
}

/** Runs a program to its end. @throws UserError `ENVIRONMENT_UNSUPPORTED` with what it said when it fails. */
export async function runTool(
  emulator: Emulator,
  argv: readonly string[],
  readable: Readonly<Record<string, string>> = {},
): Promise<void> {
  const program = programOf(emulator, { argv, readable });
  const child = await startProgram(program, { tool: emulator.tool, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, status] = await Promise.all([text(child.stdout!), text(child.stderr!), statusOf(child)]);
  if (status === 0) return;
  throw new UserError('ENVIRONMENT_UNSUPPORTED', `${argv[0]!} failed: ${`${err}${out}`.trim()}`, {
    fault: 'environment',
  });
}

/** Runs a program on this process's terminal, and ends it when `signal` is aborted. Gives its exit status. */
export async function runOnTerminal(
  emulator: Emulator,
  options: {
    readonly argv: readonly string[];
    readonly devices: readonly string[];
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { signal, ...rest } = options;
  const program = programOf(emulator, { ...rest, sharesNetwork: true });
  const child = await startProgram(program, {
    tool: emulator.tool,
    stdio: ['inherit', 'inherit', 'inherit'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return (await statusOf(child)) ?? 1;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function programOf({ root, scratch, disk }: Emulator, more: Omit<Program, 'root'>): Program {
  return {
    root,
    ...more,
    readable: { [inside.disk]: disk, ...more.readable },
    writable: { [inside.scratch]: scratch },
  };
}

async function statusOf(child: ChildProcess): Promise<number | null> {
  const [status] = (await once(child, 'close')) as [number | null];
  return status;
}
