// The systems of this repository's images, each a list of features.

import type { Target } from '../../engine/model/index.ts';
import { certificates } from './features/certificates.ts';
import { cloudInit } from './features/cloud-init.ts';
import { console } from './features/console.ts';
import { containerd, docker } from './features/containers.ts';
import { network } from './features/network.ts';
import { python } from './features/python.ts';
import { realTime } from './features/real-time.ts';
import { ssh, sudo } from './features/ssh.ts';
import { systemd } from './features/systemd.ts';
import { moreTools, userland } from './features/userland.ts';
import type { Feature } from './feature.ts';
import { partitionTable, partitionUuids } from './partition-ids.ts';
import type { Mount, SystemDescription } from './description.ts';

const server: readonly Feature[] = [
  userland,
  moreTools,
  systemd,
  network,
  ssh,
  sudo,
  certificates,
  python,
  cloudInit,
];

/** What each image has as its root; the name is that of the image. */
export function systems(target: Target) {
  const described = (name: string, features: readonly Feature[]): SystemDescription => ({
    name: `${name}-root`,
    hostname: name,
    fstab: fstab(target),
    features,
  });
  return {
    rpi: described('rpi', [...server, docker]),
    pc: described('pc', [...server, docker]),
    'rpi-rt': described('rpi-rt', [...server, docker, realTime]),
    'rpi-containerd': described('rpi-containerd', [...server, containerd]),
    tiny: described('tiny', [userland, console]),
  } as const satisfies Readonly<Record<string, SystemDescription>>;
}

// Both partitions can be written to. user-data may hold passwords, so only root reads the boot partition.
function fstab(target: Target): readonly Mount[] {
  const { boot, root } = partitionUuids[partitionTable[target]];
  return [
    { what: `PARTUUID=${root}`, where: '/', type: 'ext4', options: 'noatime', check: 'first' },
    {
      what: `PARTUUID=${boot}`,
      where: '/boot',
      type: 'vfat',
      options: 'noatime,umask=0077,flush',
      check: 'later',
    },
  ];
}
