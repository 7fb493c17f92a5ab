// shadow without PAM, so that passwords are checked by the programs themselves. login and su are here and not in
// util-linux (see there); nologin is util-linux's and groups is coreutils', as in Debian.
import { autotools } from '../lib/build.ts';
import passwordsTry from '../tries/passwords.py';
import { debianSource, definePackage } from '../lib/package.ts';

export const shadow = definePackage({
  name: 'shadow',
  description: 'accounts, passwords and logging in',
  licence: 'BSD-3-Clause',
  homepage: 'https://github.com/shadow-maint/shadow',
  source: debianSource('shadow'),
  leaves: {
    'debian/Set-group-and-mode-for-g-shadow-files.patch':
      'for a machine without these files: images have them, with owner and mode',
    'debian/Keep-using-Debian-adduser-defaults.patch': "useradd's settings as Debian's adduser has them",
    'debian/Exclude-Debian-globally-allocated-UIDs-from-sys_uid-range.patch': 'a warning about ids of Debian',
    'debian/Document-the-shadowconfig-utility.patch': 'of the manual alone',
    'debian/Recommend-using-adduser-and-deluser.patch': 'of the manual alone',
    'debian/tests-disable-su.patch': 'of the test suite alone',
    'debian/Adapt-login.defs-for-Debian.patch': 'what of it matters is set after the build',
    'debian/Define-LOGIN_NAME_MAX-on-HURD.patch': 'for the Hurd',
    'debian/Stop-building-programs-we-do-not-install.patch': 'less to build',
    'debian/Warn-when-badname-and-variants-are-given.patch': 'a warning about an option',
    'debian/configure.ac-align-exec_prefix-with-prefix.patch': 'make install is told',
    'upstream/Accept-usr-sbin-nologin-as-an-alternate-to-sbin-nologin.patch':
      'a warning when there is no such file, and there is',
    'upstream/Add-LOGIN_ENV_SAFELIST-to-FOREIGNDEFS.patch':
      'a warning about a setting that is not in login.defs',
  },
  needs: { libraries: ['libxcrypt'] },
  build: autotools({
    inTree: false,
    configure: [
      '--bindir=/usr/bin',
      '--sbindir=/usr/sbin',
      '--with-yescrypt',
      '--with-bcrypt',
      '--with-group-name-max-length=32',
      '--disable-logind',
      '--without-libpam',
      '--without-libbsd',
      '--without-audit',
      '--without-selinux',
      '--without-acl',
      '--without-attr',
      '--without-btrfs',
      '--without-nscd',
      '--without-sssd',
      '--without-tcb',
    ],
    install: ['exec_prefix=/usr'],
    // The archive has the pages; make would only make them anew from DocBook. Three are of programs that are
    // not here, or util-linux's.
    after: `
for section in 1 5 8; do install -Dm644 -t "$out/usr/share/man/man$section" "$src/man/man$section"/*; done
# Nothing here takes mail. What Debian sets otherwise: how passwords are kept, who looks into a home, where programs are.
set_to() { sed -i "/^#\\?$1\\b/d" "$out/etc/login.defs"; echo "$1 $2" >>"$out/etc/login.defs"; }
set_to MAIL_CHECK_ENAB no
set_to MAIL_DIR /var/mail
set_to ENCRYPT_METHOD YESCRYPT
set_to HOME_MODE 0700
set_to UMASK 022
set_to ENV_SUPATH PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
set_to ENV_PATH PATH=/usr/local/bin:/usr/bin:/bin
rm "$out/usr/sbin/nologin" "$out"/usr/share/man/man8/{lastlog,nologin,sulogin}.8
`,
  }),
  gives: {
    files: [
      'etc/login.defs',
      'usr/bin/login',
      'usr/bin/passwd',
      'usr/bin/su',
      'usr/sbin/useradd',
      'usr/share/man/man1/passwd.1',
      'usr/share/man/man8/useradd.8',
    ],
    runs: [
      ['/usr/bin/passwd', '--help'],
      ['/usr/sbin/useradd', '--help'],
      ['/usr/bin/chage', '--help'],
    ],
    tries: [passwordsTry],
    setuid: [
      ...[
        'usr/bin/su',
        'usr/bin/passwd',
        'usr/bin/gpasswd',
        'usr/bin/chfn',
        'usr/bin/chsh',
        'usr/bin/newgrp',
      ],
      ...['usr/bin/newuidmap', 'usr/bin/newgidmap'],
    ],
  },
});
