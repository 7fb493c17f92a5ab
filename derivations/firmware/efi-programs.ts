// Where UEFI looks for the program of a disk that it knows nothing about (UEFI specification 2.10, 3.5.1.1). A Raspberry Pi
// is told to start the same file.

import type { Target } from '../../engine/model/index.ts';

export const efiPrograms: Readonly<Record<Target, string>> = {
  'aarch64-linux': 'EFI/BOOT/BOOTAA64.EFI',
  'x86_64-linux': 'EFI/BOOT/BOOTX64.EFI',
};
