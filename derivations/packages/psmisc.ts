// psmisc: killall, fuser, pstree. Without SELinux and AppArmor.
import { autotools } from '../lib/build.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const psmisc = definePackage({
  name: 'psmisc',
  description: 'utilities that use the proc file system',
  licence: 'GPL-2.0-or-later',
  homepage: 'https://gitlab.com/psmisc/psmisc',
  source: debianSource('psmisc'),
  needs: { libraries: ['ncurses'] },
  build: autotools({
    inTree: false,
    configure: ['ac_cv_func_malloc_0_nonnull=yes', 'ac_cv_func_realloc_0_nonnull=yes'],
  }),
  gives: {
    files: ['usr/bin/killall', 'usr/bin/fuser', 'usr/bin/pstree', 'usr/share/man/man1/killall.1'],
    runs: [
      ['/usr/bin/pstree', '--ascii'],
      ['/usr/bin/killall', '--version'],
    ],
  },
});
