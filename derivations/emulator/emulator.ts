// What `cairn run` starts an image in: QEMU, UEFI firmware for its machines, and the programs that put files into a disk.
// It runs on the build machine and is never part of an image.

import { compose, composePackages, from, type Derivation } from '../../engine/model/index.ts';
import { pinsOf, type PinsByName } from '../lib/pins.ts';

// mcopy is a link to mtools.
const programs = ['qemu-system-aarch64', 'qemu-system-x86_64', 'qemu-img', 'qemu-io', 'mtools', 'mcopy'];

/** By the name in the tree. The last one does no more than a kernel that is handed over needs. */
const firmware = {
  'edk2-aarch64.fd': 'usr/share/qemu-efi-aarch64/QEMU_EFI.fd',
  'ovmf-code.fd': 'usr/share/OVMF/OVMF_CODE_4M.fd',
  'ovmf-variables.fd': 'usr/share/OVMF/OVMF_VARS_4M.fd',
  'qboot.rom': 'usr/share/qemu/qboot.rom',
};

/** The tree that a flake with images gives as its output `emulator`. */
export function emulatorTree(pins: PinsByName): Derivation {
  const packages = composePackages('emulator-packages', pinsOf(pins, 'emulator'));
  const include = [
    `usr/bin/{${programs.join(',')}}`,
    ...['usr/lib64/*', 'usr/lib/x86_64-linux-gnu/*.so*'],
    'usr/share/qemu/{linuxboot_dma,kvmvapic}.bin',
    // mtools need the code page of FAT's short names.
    'usr/lib/x86_64-linux-gnu/gconv/{gconv-modules,gconv-modules.d/*,IBM850.so}',
  ];
  const firmwareParts = Object.entries(firmware).map(([name, subpath]) => ({
    input: from(packages, { subpath }),
    at: `usr/share/firmware/${name}`,
  }));
  return compose({ name: 'emulator', parts: [{ input: packages, include }, ...firmwareParts] });
}
