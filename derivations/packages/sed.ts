// sed, without SELinux and access control lists.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';
import { linkFollowedOnce } from '../patches/sed.ts';

export const sed = definePackage({
  name: 'sed',
  description: 'stream editor',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/sed/',
  source: debianSource('sed'),
  patches: [linkFollowedOnce],
  leaves: {},
  build: autotools({ inTree: false, configure: [...gnulibAnswers, '--without-selinux', '--disable-acl'] }),
  gives: {
    files: ['usr/bin/sed', 'usr/share/man/man1/sed.1'],
    runs: [['/usr/bin/sed', '--version']],
  },
});
