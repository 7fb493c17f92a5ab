// The systems of this repository's images, each a list of features.

import type { Target } from '../../engine/model/index.ts';
import { appArmor } from './features/app-armor.ts';
import { certificates } from './features/certificates.ts';
import { checkRoot } from './features/check-root.ts';
import { clock } from './features/clock.ts';
import { cloudInit } from './features/cloud-init.ts';
import { console } from './features/console.ts';
import { containerd, docker } from './features/containers.ts';
import { growRoot } from './features/grow-root.ts';
import { kernelSettings } from './features/kernel-settings.ts';
import { network } from './features/network.ts';
import { python } from './features/python.ts';
import { realTime } from './features/real-time.ts';
import { ssh, sudo } from './features/ssh.ts';
import { systemd } from './features/systemd.ts';
import { timeZones, tools } from './features/tools.ts';
import { moreTools, userland } from './features/userland.ts';
import type { Feature } from './feature.ts';
import { partitionTable, partitionUuids } from './partition-ids.ts';
import type { Mount, SystemDescription } from './description.ts';

const server: readonly Feature[] = [
  userland,
  kernelSettings,
  moreTools,
  tools,
  timeZones,
  systemd,
  checkRoot,
  growRoot,
  clock,
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
    fstab: fstab(target, 'first'),
    features,
  });
  return {
    rpi: described('rpi', [...server, docker, appArmor]),
    pc: described('pc', [...server, docker, appArmor]),
    'rpi-rt': described('rpi-rt', [...server, docker, appArmor, realTime]),
    'rpi-containerd': described('rpi-containerd', [...server, containerd]),
    // It has no program that could check a file system; the kernel repeats what is in the journals of ext4.
    tiny: {
      ...described('tiny', [userland, kernelSettings, console]),
      fstab: fstab(target, 'never'),
      leftOut: leftOutOfTiny,
    },
  } as const satisfies Readonly<Record<string, SystemDescription>>;
}

// What nobody uses who is alone on a machine with one disk: terminals of other kinds, accounts in files of thousands,
// Minix and partitions in full screen, and what only programs that are not here would load.
const leftOutOfTiny: readonly string[] = [
  'usr/share/terminfo/!([dlsvx])',
  'usr/share/terminfo/l/!(linux)',
  'usr/share/terminfo/s/!(screen|screen-256color)',
  'usr/share/terminfo/v/!(vt100|vt102|vt220)',
  'usr/share/terminfo/x/!(xterm|xterm-256color)',
  'usr/lib/*/libsubid.so.*',
  'usr/libexec/{awk,coreutils}',
  'usr/{bin,sbin}/{newusers,chpasswd,chgpasswd,groupmems,grpck,pwck,grp*conv,pw*conv,vipw,vigr,expiry,faillog,logoutd}',
  'usr/bin/{newuidmap,newgidmap,getsubids,chage,gpasswd,newgrp,sg,chfn,chsh,infocmp,tic,captoinfo,infotocap,toe,tabs}',
  'usr/{bin,sbin}/{*minix,*cramfs,*bfs,cfdisk,lsfd,lsirq,irqtop,lsipc,lsmem,chmem,chcpu,zramctl,wdctl,rtcwake,swaplabel}',
  'usr/{bin,sbin}/{ctrlaltdel,uuid*,mcookie,cal,col*,ul,look,script*,hardlink,pipesz,waitpid,coresched,scriptlive}',
  'usr/bin/{slabtop,pmap,skill,snice,w,tload,pidwait}',
];

// Both partitions can be written to. user-data may hold passwords, so only root reads the boot partition.
// Nothing on it is run, by whoever may write to it on another computer.
function fstab(target: Target, checked: 'first' | 'never'): readonly Mount[] {
  const { boot, root } = partitionUuids[partitionTable[target]];
  return [
    {
      what: `PARTUUID=${root}`,
      where: '/',
      type: 'ext4',
      options: 'rw,noatime',
      ...(checked === 'first' && { check: 'first' }),
    },
    {
      what: `PARTUUID=${boot}`,
      where: '/boot',
      type: 'vfat',
      // A slow card, or a slow emulator, is no reason to stop the start.
      options: 'noatime,nosuid,nodev,noexec,umask=0077,flush,x-systemd.device-timeout=5min',
      ...(checked === 'first' && { check: 'later' }),
    },
  ];
}
