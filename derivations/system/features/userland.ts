// What every system has: the shell and the tools, all from our own packages, the usual accounts, and the folders that a
// root has to have.

import type { Feature } from '../feature.ts';

// Debian's static ids: archives and people know files by them.
const groups = Object.entries({
  ...{
    adm: 4,
    tty: 5,
    disk: 6,
    lp: 7,
    kmem: 15,
    dialout: 20,
    cdrom: 24,
    floppy: 25,
    tape: 26,
    sudo: 27,
    audio: 29,
  },
  ...{ dip: 30, shadow: 42, utmp: 43, video: 44, plugdev: 46, staff: 50, users: 100, nogroup: 65534 },
}).map(([name, id]) => ({ name, id }));

const profile = `PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
if [ -n "\${BASH-}" ]; then
  PS1='\\u@\\h:\\w\\$ '
fi
# Of languages there is this one: whoever asks for another has at least its letters.
case \${LC_ALL:-\${LC_CTYPE:-\${LANG:-}}} in
  C | POSIX) ;;
  *) LANG=C.UTF-8; export LANG; unset LC_ALL LC_CTYPE ;;
esac
for script in /etc/profile.d/*.sh; do
  if [ -r "$script" ]; then . "$script"; fi
done
unset script
`;

export const userland: Feature = {
  name: 'userland',
  // Loadable parts of gawk, and libraries for text windows that nothing here opens.
  leftOut: ['usr/lib/*/gawk', 'usr/lib/*/lib{panel,panelw,form,formw,menu,menuw,ncurses}.so.*'],
  packages: [
    ...([
      'bash',
      'coreutils',
      'diffutils',
      'findutils',
      'gawk',
      'grep',
      'gzip',
      'ncurses',
      'procps',
      'sed',
    ] as const),
    ...(['shadow', 'tar', 'util-linux'] as const),
  ],
  groups,
  users: [
    { name: 'root', id: 0, home: '/root', shell: '/bin/bash', about: 'root' },
    { name: 'daemon', id: 1, home: '/usr/sbin' },
    { name: 'bin', id: 2, home: '/bin' },
    { name: 'sys', id: 3, home: '/dev' },
    { name: 'mail', id: 8, home: '/var/mail' },
    { name: 'www-data', id: 33, home: '/var/www' },
    { name: 'nobody', id: 65534, group: 'nogroup', home: '/nonexistent' },
  ],
  files: {
    'etc/profile': profile,
    'etc/bash.bashrc': "PS1='\\u@\\h:\\w\\$ '\n",
    'etc/locale.conf': 'LANG=C.UTF-8\n',
    // Where PAM looks for it.
    'etc/default/locale': { symlink: '../locale.conf' },
    'etc/shells': '/bin/sh\n/bin/bash\n/usr/bin/sh\n/usr/bin/bash\n',
    'etc/issue': 'cairn \\n \\l\n\n',
    'etc/hosts': '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n',
    'var/run': { symlink: '/run' },
    'var/lock': { symlink: '/run/lock' },
  },
  folders: {
    ...{ boot: {}, dev: {}, home: {}, media: {}, mnt: {}, opt: {}, run: {}, srv: {} },
    ...{ proc: { mode: '0555' }, sys: { mode: '0555' }, root: { mode: '0700' }, tmp: { mode: '1777' } },
    ...{ 'usr/local/bin': {}, 'usr/local/lib': {}, 'usr/local/sbin': {}, 'usr/local/share': {} },
    ...{
      'var/cache': {},
      'var/lib': {},
      'var/log': {},
      'var/opt': {},
      'var/spool': {},
      'var/tmp': { mode: '1777' },
    },
    'var/mail': { mode: '2775', group: 'mail' },
    'etc/profile.d': {},
  },
};

/** What a person at work on the system misses otherwise. */
export const moreTools: Feature = {
  name: 'more tools',
  packages: ['bc', 'm4', 'psmisc'],
};
