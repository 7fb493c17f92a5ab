// procps as Debian builds it, but with pidof (which is sysvinit's there) and without systemd. kill and uptime are here
// and not in coreutils or util-linux.
import { autotools } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';
import {
  helpOfSnice,
  leftOfProcps,
  memoryReadAgain,
  negativeProcesses,
  timeOfBoot,
  zeroUsers,
} from '../patches/procps.ts';

export const procps = definePackage({
  name: 'procps',
  description: 'utilities that show and control processes',
  licence: 'GPL-2.0-or-later AND LGPL-2.1-or-later',
  homepage: 'https://gitlab.com/procps-ng/procps',
  source: debianSource('procps'),
  patches: [negativeProcesses, memoryReadAgain, timeOfBoot, zeroUsers, helpOfSnice],
  leaves: leftOfProcps,
  needs: { libraries: ['ncurses'] },
  build: autotools({
    inTree: false,
    configure: [
      '--enable-watch8bit',
      '--enable-colorwatch',
      '--enable-w-from',
      '--enable-skill',
      '--disable-modern-top',
      '--without-systemd',
      '--without-elogind',
      'ac_cv_func_malloc_0_nonnull=yes',
      'ac_cv_func_realloc_0_nonnull=yes',
    ],
  }),
  gives: {
    outputs: ['out', 'dev'],
    files: [
      'usr/bin/ps',
      'usr/bin/top',
      'usr/bin/kill',
      'usr/bin/uptime',
      'usr/sbin/sysctl',
      'usr/share/man/man1/ps.1',
    ],
    libraries: ['libproc2.so.0'],
    runs: [
      ['/usr/bin/ps', 'aux'],
      ['/usr/bin/free', '--version'],
      ['/usr/bin/top', '-b', '-n', '1'],
    ],
  },
});
