// What a step sees in place of the machine it runs on: fixed contents over the files of /proc that tell of it, the filter of
// its system calls, and the limits and processors it is held to. What none of these hides (uname, the clock) is named in the
// README. Writes its files once; knows no step.

import { accessSync, constants, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { preamble } from './preamble.ts';
import { stepLimits } from './resource-limits.ts';
import { systemCallFilter } from './system-calls.ts';

/** Files of this machine that sandboxes take; any number of sandboxes may use them at once. */
export interface Guise {
  /** The system call filter's program. */
  readonly filter: string;
  /** The program that sets limits and processors, and becomes bubblewrap. */
  readonly preamble: string;
  /** What is mounted over what, in this order. */
  readonly masks: readonly Mask[];
}

export interface Mask {
  readonly path: string;
  readonly source: string;
  /** Where there is no such source, nothing is mounted. */
  readonly isOptional?: boolean;
}

/** What steps are shown in place of a machine's own files, whichever machine it is. */
export interface Shown {
  /** By their names below one folder. */
  readonly files: ReadonlyMap<string, string>;
  /** By the name of the file, or of the folder, that is mounted there; an `emptyFolder` has nothing in it. */
  readonly masks: readonly { readonly path: string; readonly name: string }[];
}

export const emptyFolder = 'empty';
const nothing = 'nothing';

/** A gibibyte of memory, as old as any: what every machine that builds has. */
const contents: Readonly<Record<string, string>> = {
  meminfo:
    'MemTotal:        1048576 kB\nMemFree:          524288 kB\nMemAvailable:     786432 kB\n' +
    'Buffers:               0 kB\nCached:           262144 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n',
  loadavg: '0.00 0.00 0.00 1/1 1\n',
  uptime: '1.00 1.00\n',
  version: 'Linux version 5.10.0 (cairn)\n',
};

// As many processors as the step may use: a count that differs from what sched_getaffinity gives would confuse programs.
function processorContents(count: number): Record<string, string> {
  const each = (line: (at: number) => string): string =>
    Array.from({ length: count }, (_, at) => line(at)).join('');
  const noTimes = ' 0 0 0 0 0 0 0 0 0 0\n';
  return {
    cpuinfo: each((at) => `processor\t: ${at}\nmodel name\t: cairn\n\n`),
    stat: `cpu ${noTimes}${each((at) => `cpu${at}${noTimes}`)}btime 315532800\nprocesses 1\nprocs_running 1\n`,
  };
}

/**
 * All of /proc/sys: what programs ask for there, as Linux 5.10 has it where nobody has set anything. The real one has some
 * thousand settings of the machine.
 */
const settings: Readonly<Record<string, string>> = {
  'fs/file-max': '9223372036854775807',
  'fs/nr_open': '1048576',
  'fs/pipe-max-size': '1048576',
  'kernel/cap_last_cap': '40',
  'kernel/core_pattern': 'core',
  'kernel/hostname': 'cairn',
  'kernel/msgmax': '8192',
  'kernel/msgmnb': '16384',
  'kernel/msgmni': '32000',
  'kernel/ngroups_max': '65536',
  'kernel/osrelease': '5.10.0',
  'kernel/ostype': 'Linux',
  'kernel/overflowgid': '65534',
  'kernel/overflowuid': '65534',
  'kernel/pid_max': '32768',
  'kernel/random/boot_id': '00000000-0000-4000-8000-000000000000',
  'kernel/randomize_va_space': '2',
  'kernel/sem': '32000\t1024000000\t500\t32000',
  'kernel/shmall': '18446744073692774399',
  'kernel/shmmax': '18446744073692774399',
  'kernel/shmmni': '4096',
  'kernel/threads-max': '32768',
  'kernel/version': '#1 SMP',
  'net/core/somaxconn': '4096',
  'net/ipv4/ip_local_port_range': '32768\t60999',
  'vm/max_map_count': '65530',
  'vm/mmap_min_addr': '65536',
  'vm/overcommit_memory': '0',
};
/** Another one each time it is read, on every machine: the real one stays, on a file of ours. */
const uuid = 'kernel/random/uuid';

/** Files that tell of the machine and that nothing needs: they are empty. */
const emptied = [
  ...[
    'buddyinfo',
    'bootconfig',
    'cgroups',
    'cmdline',
    'config.gz',
    'consoles',
    'crypto',
    'devices',
    'diskstats',
    'dma',
  ],
  ...[
    'execdomains',
    'fb',
    'filesystems',
    'interrupts',
    'iomem',
    'ioports',
    'kallsyms',
    'kcore',
    'key-users',
    'keys',
  ],
  ...[
    'kmsg',
    'kpagecgroup',
    'kpagecount',
    'kpageflags',
    'latency_stats',
    'locks',
    'mdstat',
    'misc',
    'modules',
  ],
  ...['mtrr', 'pagetypeinfo', 'partitions', 'sched_debug', 'schedstat', 'slabinfo', 'softirqs', 'swaps'],
  ...['timer_list', 'timer_stats', 'vmallocinfo', 'vmstat', 'zoneinfo'],
];

/** Folders with what the machine has in them: disks, buses, drivers. They are empty. */
const emptiedFolders = ['acpi', 'asound', 'bus', 'driver', 'fs', 'irq', 'scsi'];

/** For steps that may use so many processors. Where a kernel lacks a file, there is nothing to mount over. */
export function shownInstead(processors: number): Shown {
  const shown = { ...contents, ...processorContents(processors) };
  const inSettings = Object.entries(settings).map(([name, value]): [string, string] => [
    `sys/${name}`,
    `${value}\n`,
  ]);
  return {
    files: new Map([[nothing, ''], ...Object.entries(shown), ...inSettings, [`sys/${uuid}`, '']]),
    masks: [
      ...Object.keys(shown).map((name) => ({ path: `/proc/${name}`, name })),
      ...emptied.map((name) => ({ path: `/proc/${name}`, name: nothing })),
      ...emptiedFolders.map((name) => ({ path: `/proc/${name}`, name: emptyFolder })),
    ],
  };
}

/** What is mounted last, with the folder's files in `folder`. */
export function settingsMasks(folder: string): readonly Mask[] {
  return [
    { path: '/proc/sys', source: `${folder}/sys` },
    { path: `/proc/sys/${uuid}`, source: `/proc/sys/${uuid}` },
  ];
}

/** Makes the files in a new folder, for steps that may use `processors`. */
export function makeGuise(folder: string, processors: readonly number[]): Guise {
  mkdirSync(folder);
  const put = (name: string, content: string | Buffer, mode = 0o444): string => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content, { mode });
    return path;
  };
  mkdirSync(join(folder, emptyFolder));
  const { files, masks } = shownInstead(processors.length);
  for (const [name, content] of files) put(name, content);
  const isThere = ({ path, name }: Shown['masks'][number]): boolean =>
    name === emptyFolder ? hasEntries(path) : isReadable(path);
  return {
    filter: put('system-calls', systemCallFilter()),
    preamble: put('preamble', preamble({ ...stepLimits(), processors }), 0o555),
    masks: [
      ...masks.filter(isThere).map(({ path, name }) => ({ path, source: join(folder, name) })),
      ...settingsMasks(folder),
    ],
  };
}

// In /proc nothing can be made, so only what this kernel has is masked; what this user cannot read, a step cannot either. Each
// mask costs a step a tenth of a millisecond.
function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function hasEntries(folder: string): boolean {
  return isReadable(folder) && readdirSync(folder).length > 0;
}
