// The root is checked at every start, as /etc/fstab says. systemd does so only where the kernel has mounted the root to be
// read; ours mounts it to be written to, for images without systemd. A file system in order takes a look at one block.

import type { Feature } from '../feature.ts';

// Nobody is there to be asked: what e2fsck does not mend unasked it mends all the same, and the machine starts in any case.
// The statuses are those of e2fsck(8): 4 is what it has left as it was, 2 what the kernel has to read anew.
const program = `#!/bin/sh
case " $(cat /proc/cmdline) " in *' fsck.mode=skip '*) exit 0 ;; esac
device=/dev/$(basename "$(readlink -f "/sys/dev/block/$(mountpoint -d /)")")
if ! mount -o remount,ro /; then
  echo 'The root is being written to already: it is not checked this time.'
  exit 0
fi
e2fsck -p "$device"
status=$?
case $status in 4 | 5 | 6 | 7)
  e2fsck -y "$device"
  status=$?
  ;;
esac
case $status in
  0 | 1) ;;
  2 | 3) systemctl --force --force reboot ;;
  *) echo "The root could not be mended: e2fsck ended with status $status." ;;
esac
mount -o remount,rw /
exit 0
`;

// An empty condition takes back all: that the root is mounted to be read, and that no initial ram disk has checked it.
const always = `[Unit]
ConditionPathIsReadWrite=

[Service]
ExecStart=
ExecStart=/usr/lib/cairn/check-root
`;

export const checkRoot: Feature = {
  name: 'check root',
  files: {
    'usr/lib/cairn/check-root': { text: program, mode: '0755' },
    'etc/systemd/system/systemd-fsck-root.service.d/50-always.conf': always,
  },
};
