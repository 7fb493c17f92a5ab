// Which file systems more than one machine may have mounted. Numbers: statfs(2), linux/magic.h, and the file systems' own.

import { statfsSync } from 'node:fs';

const names: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x01021997: '9P',
  0x00c36400: 'Ceph',
  0x5346414f: 'AFS',
  0x6b414653: 'AFS',
  0x73757245: 'Coda',
  0x65735546: 'FUSE',
  0x0bd00bd0: 'Lustre',
  0x19830326: 'BeeGFS',
  0x47504653: 'GPFS',
  0x7461636f: 'OCFS2',
  0x01161970: 'GFS2',
  0x20030528: 'OrangeFS',
  0x786f4256: 'VirtualBox shared folder',
  0xbacbacbc: 'VMware shared folder',
};

/** The kind of file system that a folder lies on when other machines may reach it too, or through a program; else undefined. */
export function networkFileSystem(folder: string): string | undefined {
  return networkFileSystemOf(statfsSync(folder).type);
}

/** The same for the number that statfs(2) gives. */
export function networkFileSystemOf(type: number): string | undefined {
  return names[type >>> 0];
}
