// What a step sees in place of the machine it runs on: fixed contents over the files of /proc that tell of it, and the
// filter of its system calls. What a file cannot hide (uname, the processors that sched_getaffinity gives, the clock) is
// named in the README. Writes its files once; knows no step.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCallFilter } from './system-calls.ts';

/** Files of this machine that sandboxes take; any number of sandboxes may use them at once. */
export interface Guise {
  /** The system call filter's program. */
  readonly filter: string;
  /** What is mounted over what. */
  readonly masks: readonly { readonly path: string; readonly source: string }[];
}

/** One processor and a gibibyte of memory, as old as any: what every machine that builds has. */
const contents: Readonly<Record<string, string>> = {
  '/proc/cpuinfo': 'processor\t: 0\nmodel name\t: cairn\n\n',
  '/proc/meminfo':
    'MemTotal:        1048576 kB\nMemFree:          524288 kB\nMemAvailable:     786432 kB\n' +
    'Buffers:               0 kB\nCached:           262144 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n',
  '/proc/stat':
    'cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nbtime 315532800\nprocesses 1\nprocs_running 1\n',
  '/proc/loadavg': '0.00 0.00 0.00 1/1 1\n',
  '/proc/uptime': '1.00 1.00\n',
  '/proc/version': 'Linux version 5.10.0 (cairn)\n',
  '/proc/sys/kernel/osrelease': '5.10.0\n',
  '/proc/sys/kernel/version': '#1 SMP\n',
  '/proc/sys/kernel/random/boot_id': '00000000-0000-4000-8000-000000000000\n',
};

/** Files that tell of the machine and that nothing needs: they are empty. */
const emptied = [
  ...['buddyinfo', 'bootconfig', 'cmdline', 'config.gz', 'consoles', 'crypto', 'devices', 'diskstats', 'dma'],
  ...[
    'execdomains',
    'fb',
    'interrupts',
    'iomem',
    'ioports',
    'kallsyms',
    'kcore',
    'key-users',
    'keys',
    'kmsg',
  ],
  ...[
    'kpagecgroup',
    'kpagecount',
    'kpageflags',
    'latency_stats',
    'locks',
    'mdstat',
    'misc',
    'modules',
    'mtrr',
  ],
  ...['pagetypeinfo', 'partitions', 'sched_debug', 'schedstat', 'slabinfo', 'softirqs', 'swaps'],
  ...['sysrq-trigger', 'timer_list', 'timer_stats', 'vmallocinfo', 'vmstat', 'zoneinfo'],
].map((name) => `/proc/${name}`);

/** Makes the files in an existing folder. Only what this kernel has is masked: in /proc nothing can be made. */
export function makeGuise(folder: string): Guise {
  const place = join(folder, 'guise');
  mkdirSync(place);
  const put = (name: string, content: string | Buffer): string => {
    const path = join(place, name);
    writeFileSync(path, content, { mode: 0o444 });
    return path;
  };
  const nothing = put('nothing', '');
  const all = [
    ...Object.entries(contents).map(([path, content]) => ({
      path,
      source: put(path.slice(1).replaceAll('/', '-'), content),
    })),
    ...emptied.map((path) => ({ path, source: nothing })),
  ];
  return {
    filter: put('system-calls', systemCallFilter()),
    masks: all.filter(({ path }) => existsSync(path)),
  };
}
