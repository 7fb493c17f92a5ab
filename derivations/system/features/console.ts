// A first process of a few lines of shell: it mounts what a system needs and keeps a shell on every console. For images
// that are our own userland and nothing else.

import type { Feature } from '../feature.ts';

const init = `#!/bin/sh
# The first process. The shell waits for every process that lost its parent, so none is left over.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root TERM=linux

mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
mountpoint -q /dev || mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts -o nosuid,noexec,gid=5,mode=0620 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm
mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs /run
mkdir -p -m 1777 /run/lock
mount -o remount,rw /
mount -a
cat /etc/hostname >/proc/sys/kernel/hostname
sysctl -q -e -p /usr/lib/sysctl.d/50-default.conf

# A shell on every console that the kernel was given, anew when somebody leaves it.
keep_shell() {
  while :; do
    setsid agetty --autologin root --noclear --noissue --keep-baud "$1" 115200,57600,38400,9600 linux
    sleep 1
  done
}
for console in $(cat /sys/class/tty/console/active); do
  if [ "$console" = tty0 ]; then console=tty1; fi
  keep_shell "$console" &
done
while :; do wait; sleep 1; done
`;

const stop = (letter: string): string => `#!/bin/sh
# All processes but this are asked to end, then the kernel writes what it holds, makes the disks read-only and goes.
trap '' TERM HUP
kill -TERM -1
sleep 1
sync
for request in s u ${letter}; do echo "$request" >/proc/sysrq-trigger; sleep 0.2; done
sleep 60
`;

export const console: Feature = {
  name: 'console',
  files: {
    'usr/sbin/init': { text: init, mode: '0755' },
    'usr/sbin/poweroff': { text: stop('o'), mode: '0755' },
    'usr/sbin/reboot': { text: stop('b'), mode: '0755' },
    'etc/motd': 'cairn: our own userland and a shell. `poweroff` and `reboot` stop it.\n',
    'etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
  },
};
