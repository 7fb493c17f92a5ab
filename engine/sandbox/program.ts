// A program out of a tree of the store, run for a person and not for a build: it sees that tree, what it is given of this
// machine, and the network if it is to. Knows nothing of what the programs are.

import type { ChildProcess } from 'node:child_process';
import type { Descriptor } from './spawn-clean.ts';
import type { SandboxTool } from './tool.ts';

export interface Program {
  /** The folder whose `usr` becomes `/usr`. */
  readonly root: string;
  readonly argv: readonly string[];
  /** Files and folders of this machine, by their path inside. */
  readonly readable?: Readonly<Record<string, string>>;
  readonly writable?: Readonly<Record<string, string>>;
  /** Device nodes, such as /dev/kvm. */
  readonly devices?: readonly string[];
  /** Whether it may use this machine's network, and the name servers it knows. */
  readonly sharesNetwork?: boolean;
}

// No process namespace: the program takes bubblewrap's place, so that a signal reaches it and it can end in order. It dies
// with this process in any case.
const isolation = [
  ...['--unshare-user', '--disable-userns', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
  ...['--cap-drop', 'ALL', '--hostname', 'cairn', '--die-with-parent'],
];

/** The command that runs `program`. Pure. */
export function programCommand(program: Program, { bubblewrap }: SandboxTool): string[] {
  const { root, argv, readable = {}, writable = {}, devices = [], sharesNetwork = false } = program;
  return [
    ...bubblewrap,
    ...isolation,
    ...(sharesNetwork ? ['--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'] : ['--unshare-net']),
    ...['--ro-bind', `${root}/usr`, '/usr'],
    ...['bin', 'lib', 'lib64'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]),
    ...['--dev', '/dev', '--tmpfs', '/tmp', '--symlink', '/tmp', '/var/tmp'],
    ...devices.flatMap((path) => ['--dev-bind', path, path]),
    ...Object.entries(readable).flatMap(([path, source]) => ['--ro-bind', source, path]),
    ...Object.entries(writable).flatMap(([path, source]) => ['--bind', source, path]),
    ...[
      '--clearenv',
      '--setenv',
      'PATH',
      '/usr/bin',
      '--setenv',
      'LC_ALL',
      'C.UTF-8',
      '--setenv',
      'TZ',
      'UTC',
    ],
    '--',
    ...argv,
  ];
}

/** Starts it. */
export async function startProgram(
  program: Program,
  { tool, stdio }: { readonly tool: SandboxTool; readonly stdio: readonly Descriptor[] },
): Promise<ChildProcess> {
  // Loaded late, as this file is among those that every command loads.
  const { spawnClean } = await import('./spawn-clean.ts');
  return spawnClean(programCommand(program, tool), { stdio, isDetached: false });
}
