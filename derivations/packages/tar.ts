// tar, without SELinux and access control lists; extended attributes are in the C library. rmt serves remote tapes.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';
import { leftOfTar, recordsCounted } from '../patches/tar.ts';

export const tar = definePackage({
  name: 'tar',
  description: 'archives files',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/tar/',
  source: debianSource('tar'),
  patches: [recordsCounted],
  leaves: leftOfTar,
  build: autotools({
    inTree: false,
    configure: [
      ...gnulibAnswers,
      '--without-posix-acls',
      '--without-selinux',
      '--with-xattrs',
      '--libexecdir=/usr/sbin',
      'RSH=/usr/bin/rsh',
    ],
    after: `
install -Dm644 "$src/doc/tar.1" "$out/usr/share/man/man1/tar.1"
install -Dm644 "$src/doc/rmt.8" "$out/usr/share/man/man8/rmt.8"
`,
  }),
  gives: {
    files: ['usr/bin/tar', 'usr/sbin/rmt', 'usr/share/man/man1/tar.1'],
    runs: [['/usr/bin/tar', '-cf', '/tmp/x.tar', '/usr/bin/tar']],
  },
});
