// Where the emulators and their firmware come from. Debian's QEMU can do more than starting a machine on a terminal; what
// only a screen, sound, card readers or its maintainer scripts would need is left out.

import type { InputDeclaration } from '../../engine/model/index.ts';
import { trixie } from '../lib/suites.ts';

/** The input of `emulatorTree`. */
export const emulatorInputs = {
  emulator: {
    kind: 'debian-packages',
    ...trixie,
    architecture: 'amd64',
    packages: words('qemu-system-arm qemu-efi-aarch64 qemu-system-x86 ovmf qemu-utils mtools'),
    without: words(`
      qemu-system-common ipxe-qemu seabios libexecs1 libcap-ng0 adduser base-passwd debconf gcc-14-base login.defs passwd
      openssl-provider-legacy libacl1 libattr1 libaudit1 libasound2t64 libbrlapi0.8 libbz2-1.0 libcacard0 libdb5.3t64
      libncursesw6 libnss3 libpam0g libpcsclite1 libsasl2-modules-db libsystemd0 libtinfo6 libusb-1.0-0
      libusbredirparser1t64
    `),
  },
} as const satisfies Readonly<Record<string, InputDeclaration>>;

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
