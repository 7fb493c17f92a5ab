// What tests of used media need of programs that make them: no machine has to have any. Pinned; run where it lies, through its
// own loader (disk-programs.ts).

import { composePackages, defineFlake } from '../../../engine/model/index.ts';

export default defineFlake({
  description: 'partition tables, LUKS, btrfs, LVM and RAID',
  targets: ['x86_64-linux'],
  inputs: {
    programs: {
      kind: 'debian-packages',
      suite: 'trixie',
      architecture: 'amd64',
      packages: ['btrfs-progs', 'cryptsetup-bin', 'fdisk', 'lvm2', 'mdadm'],
      // What they need to be set up or to run as services.
      without: ['debconf', 'dmeventd', 'init-system-helpers', 'sysvinit-utils', 'udev'],
    },
  },
  outputs: ({ pins }) => ({ programs: composePackages('disk-programs', pins.programs) }),
});
