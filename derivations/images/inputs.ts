// Where the programs that make disks come from: what the seed has not.

import type { InputDeclaration } from '../../engine/model/index.ts';
import { trixie } from '../lib/suites.ts';

/** The inputs of `diskTools`. */
export const imageInputs = {
  'disk-tools': {
    kind: 'debian-packages',
    ...trixie,
    architecture: 'amd64',
    // mke2fs loads libarchive only when it is given an archive, so nothing depends on it.
    packages: ['e2fsprogs', 'libarchive13t64', 'dosfstools', 'mtools', 'fdisk', 'libpython3.13-stdlib'],
    // In the seed already, or wanted only for archives of other kinds.
    without: [
      ...['libreadline8t64', 'libtinfo6', 'libncursesw6', 'libselinux1', 'zlib1g', 'libzstd1'],
      ...['liblzma5', 'libbz2-1.0', 'liblz4-1', 'libacl1', 'libexpat1', 'libssl3t64', 'libcap2'],
      ...[
        'logsave',
        'debconf',
        'dpkg',
        'libsqlite3-0',
        'libdb5.3t64',
        'libffi8',
        'libgcc-s1',
        'libpython3.13-minimal',
      ],
      ...['media-types', 'netbase', 'tzdata'],
    ],
  },
} as const satisfies Readonly<Record<string, InputDeclaration>>;
