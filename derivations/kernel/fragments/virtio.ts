// Devices of virtual machines, and what a cloud or QEMU presents beside them.

import type { Fragment } from '../fragment.ts';

export const virtio: Fragment = {
  name: 'virtio',
  on: {
    'the bus': 'VIRTIO_MENU VIRTIO_PCI VIRTIO_MMIO',
    disks: 'VIRTIO_BLK SCSI_LOWLEVEL SCSI_VIRTIO',
    network: 'VIRTIO_NET',
    'consoles and random numbers': 'VIRTIO_CONSOLE HW_RANDOM_VIRTIO',
    'memory given back to the host': 'VIRTIO_BALLOON',
  },
};
