// What is plugged in or on board of boards and PCs alike: USB, its disks and network cards, SCSI, NVMe, SD cards.

import type { Fragment } from '../fragment.ts';

export const usbAndDisks: Fragment = {
  name: 'usb-and-disks',
  on: {
    USB: 'USB_SUPPORT USB USB_PCI USB_DEFAULT_PERSIST USB_XHCI_HCD',
    disks: 'SCSI BLK_DEV_SD BLK_DEV_SR USB_STORAGE USB_UAS BLK_DEV_NVME',
    'SD cards': 'MMC MMC_BLOCK',
    'network on USB': `
      USB_NET_DRIVERS USB_USBNET USB_NET_AX8817X USB_NET_AX88179_178A USB_NET_CDC_NCM USB_RTL8152 USB_NET_CDCETHER
      USB_NET_RNDIS_HOST`,
    'serial lines on USB': 'USB_ACM USB_SERIAL USB_SERIAL_FTDI_SIO USB_SERIAL_CP210X',
  },
};
