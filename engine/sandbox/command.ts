// The one place that says what a sandbox is: a step's mounts, namespaces and environment as a bubblewrap command.
// Pure; github.com/containers/bubblewrap, bwrap(1).

import { changedPath, jobserverPath, type Conditions } from './conditions.ts';
import type { InputMount, Mounts } from './mounts.ts';
import type { SandboxTool } from './tool.ts';
import type { Guise } from './guise.ts';
import type { Scaffold, WorkFolder } from './work-folder.ts';
import type { BuildRequest } from '../execute/executor.ts';
import { compilersPlace } from '../compile-cache/ccache.ts';
import type { CompileCacheMount } from '../compile-cache/place.ts';
import { environmentOf, outputsFolder, type Surroundings } from '../execute/step-view.ts';

export interface CommandOptions {
  readonly tool: SandboxTool;
  readonly mounts: Mounts;
  readonly scaffold: Scaffold;
  readonly guise: Guise;
  readonly work: WorkFolder;
  readonly conditions: Conditions;
  /** True in a sandbox of somebody else's: there no further /proc can be mounted, and that one's is shown. */
  readonly isWithin?: boolean;
  /** True where whoever is killed must leave nothing behind: what is written to the root is kept in memory. */
  readonly isRootInMemory?: boolean;
  /** The file with what changed since the last success, where the step is told that. */
  readonly changed?: string | undefined;
  /** What a compile cache takes, where the step has one. */
  readonly compileCache?: readonly CompileCacheMount[] | undefined;
  /**
   * A person at a terminal, instead of the step's command: the terminal stays the controlling one. The programs inside
   * could then push characters into it (TIOCSTI, CVE-2017-5226), so this is for a shell that was asked for, never for
   * a build.
   */
  readonly interactive?: Interactive;
}

export interface Interactive {
  readonly argv: readonly string[];
  /** Such as TERM. */
  readonly env: Readonly<Record<string, string>>;
}

/** File descriptor on which bubblewrap reports how the command ended. */
export const statusDescriptor = 3;
/** File descriptor on which bubblewrap finds the program of `guise.filter`. */
export const filterDescriptor = 4;

/** What /dev/shm holds at most: as much as in containers. */
const sharedMemoryBytes = 64 * 1024 * 1024;

// The command is process 1 itself. Bubblewrap's own process 1 would let bubblewrap end while what the command left
// running is still being killed, and nobody would count its processor time.
// No namespace is shared. Without capabilities, uid 0 inside can do what the person outside can, and nothing more: the
// same for root and for an ordinary user. Further user namespaces, which would give capabilities back, are refused; by the system
// call filter as well, where the kernel's settings cannot be written to.
const isolation = (isWithin: boolean): readonly string[] => [
  ...['--unshare-user', ...(isWithin ? [] : ['--disable-userns']), '--unshare-ipc', '--unshare-pid'],
  ...['--unshare-net', '--unshare-uts', '--unshare-cgroup-try', '--cap-drop', 'ALL', '--hostname', 'cairn'],
  ...['--die-with-parent', '--as-pid-1', '--clearenv'],
];

/** The command that runs `request` in its sandbox. */
export function sandboxCommand(request: BuildRequest, options: CommandOptions): string[] {
  const { tool, guise, mounts, work, conditions, changed, compileCache = [], interactive } = options;
  const { isWithin = false } = options;
  const surroundings = {
    ...surroundingsOf(conditions),
    changed: changed && changedPath,
    compilers: compileCache.length === 0 ? undefined : compilersPlace,
  };
  const id = String(conditions.uid);
  return [
    guise.preamble,
    ...tool.bubblewrap,
    ...isolation(isWithin),
    ...['--uid', id, '--gid', id],
    ...(interactive === undefined ? ['--new-session', '--json-status-fd', String(statusDescriptor)] : []),
    ...['--seccomp', String(filterDescriptor)],
    ...rootMounts(options),
    ...folderMounts(work, conditions),
    ...(changed === undefined ? [] : ['--ro-bind', changed, changedPath]),
    ...compileCache.flatMap(({ source, path, isWritable }) => [
      isWritable ? '--bind' : '--ro-bind',
      source,
      path,
    ]),
    ...mounts.inputs.flatMap(inputMount),
    // With all that is mounted in it: what a step put there would be memory that nobody counts.
    ...['--remount-ro', '/dev'],
    ...Object.entries({ ...environmentOf(request, surroundings), ...interactive?.env }).flatMap(
      ([name, value]) => ['--setenv', name, value],
    ),
    ...['--chdir', conditions.buildFolder, '--'],
    ...(interactive?.argv ?? request.argv),
  ];
}

function surroundingsOf({ buildFolder, jobs, jobserver }: Conditions): Surroundings {
  return { buildFolder, jobs, jobserver: jobserver === undefined ? undefined : jobserverPath };
}

function rootMounts(options: CommandOptions): string[] {
  const { scaffold, guise, mounts, work, isWithin = false, isRootInMemory = false } = options;
  return [
    ...[scaffold.mountPoints, ...mounts.layers].flatMap((layer) => ['--overlay-src', layer]),
    ...(isRootInMemory ? ['--tmp-overlay', '/'] : ['--overlay', work.upper, scaffold.overlay, '/']),
    // Read-only, because for root's processes the kernel's settings under /proc/sys are their own files to write.
    ...(isWithin ? ['--ro-bind', '/proc', '/proc'] : ['--proc', '/proc', '--remount-ro', '/proc']),
    ...guise.masks.flatMap(({ path, source, isOptional }) => [
      isOptional === true ? '--ro-bind-try' : '--ro-bind',
      source,
      path,
    ]),
    ...['--dev', '/dev', '--perms', '1777', '--size', String(sharedMemoryBytes), '--tmpfs', '/dev/shm'],
  ];
}

// Plain folders, because an overlay makes small files several times slower; on disk, because links and sorts write
// more to /tmp than fits into memory.
function folderMounts(work: WorkFolder, { buildFolder, jobserver }: Conditions): string[] {
  return [
    ...['--bind', work.temporary, '/tmp'],
    ...['--bind', work.outputs, outputsFolder],
    ...['--bind', work.build, buildFolder],
    // Read-only does not keep a fifo from being written to, but from other rights and times.
    ...(jobserver === undefined ? [] : ['--ro-bind', jobserver, jobserverPath]),
  ];
}

function inputMount(input: InputMount): string[] {
  switch (input.kind) {
    case 'bind':
      return ['--ro-bind', input.source, input.path];
    case 'stack':
      return [...input.sources.flatMap((source) => ['--overlay-src', source]), '--ro-overlay', input.path];
    case 'symlink':
      return ['--symlink', input.target, input.path];
  }
}
