// The root becomes as large as the disk it is on, at the first start and whenever the disk has become larger. A program of
// its own instead of cloud-init's two modules: it runs while the network comes up, and is done before a person's own
// commands want the room.

import type { Feature } from '../feature.ts';

// Only the last partition can grow, which the root is. GPT keeps the disk's last sector, which is another one now.
const program = `#!/bin/sh
set -eu
partition=$(readlink -f "/sys/dev/block/$(mountpoint -d /)")
disk=$(dirname "$partition")
number=$(cat "$partition/partition")
free=$(($(cat "$disk/size") - $(cat "$partition/start") - $(cat "$partition/size")))
# Less than 4 MiB, in sectors: alignment and the second partition table.
if [ "$free" -lt 8192 ]; then exit 0; fi
device=/dev/$(basename "$disk")
name=/dev/$(basename "$partition")
sfdisk --dump "$device" |
  sed -e '/^last-lba:/d' -e "\\,^$name :,s/ size= *[0-9]*,//" |
  sfdisk --quiet --force --no-reread --no-tell-kernel "$device"
partx --update --nr "$number" "$device"
resize2fs "$name"
`;

const unit = `[Unit]
Description=The root becomes as large as its disk
DefaultDependencies=no
After=systemd-remount-fs.service cloud-init-local.service
Before=cloud-final.service
Conflicts=shutdown.target
Before=shutdown.target
ConditionVirtualization=!container

[Service]
Type=oneshot
ExecStart=/usr/lib/cairn/grow-root
`;

export const growRoot: Feature = {
  name: 'grow root',
  files: {
    'usr/lib/cairn/grow-root': { text: program, mode: '0755' },
    'usr/lib/systemd/system/grow-root.service': unit,
  },
  services: { enabled: { 'grow-root.service': 'sysinit.target' } },
};
