// File systems: of the image itself, of what people plug in, and of what brings cloud-init its data.

import type { Fragment } from '../fragment.ts';

export const fileSystems: Fragment = {
  name: 'file-systems',
  on: {
    'the root': 'EXT4_FS EXT4_FS_POSIX_ACL EXT4_FS_SECURITY EXT4_USE_FOR_EXT2',
    '/boot': 'VFAT_FS FAT_DEFAULT_UTF8 NLS_CODEPAGE_437 NLS_ASCII NLS_ISO8859_1 NLS_UTF8',
    'USB sticks': 'EXFAT_FS',
    'layers of containers': 'OVERLAY_FS',
    'seeds of cloud-init on a virtual disc': 'ISO9660_FS JOLIET',
    'compressed trees': 'SQUASHFS SQUASHFS_ZLIB SQUASHFS_XZ SQUASHFS_ZSTD SQUASHFS_XATTR MISC_FILESYSTEMS',
    'file systems in programs': 'FUSE_FS',
    'systemd mounts when something is first read': 'AUTOFS_FS',
  },
  values: { FAT_DEFAULT_CODEPAGE: 437, FAT_DEFAULT_IOCHARSET: 'ascii' },
};
