// coreutils as one program under all its names, a fifth of the size. Without what Debian gives to others: kill and uptime
// are procps's. Without SELinux, access control lists, extended attributes, capabilities and OpenSSL, whose libraries are
// not in this set.
import { autotools } from '../lib/build.ts';
import { gnulibAnswers } from '../lib/gnulib.ts';
import { debianSource, definePackage } from '../lib/package.ts';

export const coreutils = definePackage({
  name: 'coreutils',
  description: 'basic file, shell and text utilities',
  licence: 'GPL-3.0-or-later',
  homepage: 'https://www.gnu.org/software/coreutils/',
  source: debianSource('coreutils'),
  leaves: {
    '72_id_checkngroups.patch': 'a warning of more groups than there may be',
    'gnulib-nfs-acl.patch': 'of access control lists, which it is built without',
  },
  build: autotools({
    inTree: false,
    before: 'export FORCE_UNSAFE_CONFIGURE=1',
    configure: [
      ...gnulibAnswers,
      '--enable-single-binary=symlinks',
      '--enable-install-program=arch,hostname',
      '--enable-no-install-program=kill,uptime',
      '--without-selinux',
      '--disable-acl',
      '--disable-xattr',
      '--disable-libcap',
      '--without-openssl',
      '--without-libgmp',
    ],
    // In a cross build make puts a placeholder in the place of every manual page; the archive has the real ones.
    after: `
cd "$out/usr/share/man/man1"
for page in *.1; do cp "$src/man/$page" "$page"; done
cd "$out"
mkdir -p usr/sbin usr/share/man/man8
rm usr/bin/chroot
ln -s ../bin/coreutils usr/sbin/chroot
sed '/^\\.TH/s/"1"/"8"/' usr/share/man/man1/chroot.1 >usr/share/man/man8/chroot.8
rm usr/share/man/man1/chroot.1
ln -s test.1 'usr/share/man/man1/[.1'
cd "$folder"
`,
  }),
  gives: {
    files: [
      'usr/bin/ls',
      'usr/bin/[',
      'usr/sbin/chroot',
      'usr/libexec/coreutils/libstdbuf.so',
      'usr/share/man/man1/ls.1',
    ],
    runs: [
      ['/usr/bin/ls', '-l', '/usr'],
      ['/usr/bin/hostname'],
      ['/usr/bin/factor', '18446744073709551617'],
      ['/usr/bin/sha256sum', '/usr/bin/ls'],
      ['/usr/bin/stdbuf', '-o0', '/usr/bin/sort', '/proc/self/status'],
    ],
  },
});
