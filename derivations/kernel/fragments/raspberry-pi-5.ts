// Raspberry Pi 5 beyond its processor and SD card: RP1, the chip behind PCI that has its Ethernet, USB and pins. Linux 6.12
// has no driver for it.

import type { Fragment } from '../fragment.ts';

export const raspberryPi5: Fragment = {
  name: 'raspberry-pi-5',
  on: {
    'RP1, which is described below a PCI device': 'PCI OF_IRQ MISC_RP1 COMMON_CLK_RP1 PINCTRL_RP1',
    'its interrupts come as messages to a chip of their own': 'PCIE_BRCMSTB BCM2712_MIP',
    'pins of the processor itself': 'PINCTRL_BRCMSTB',
    Ethernet: 'NET_VENDOR_CADENCE MACB BROADCOM_PHY',
    USB: 'USB_XHCI_HCD USB_XHCI_PLATFORM USB_DWC3 USB_DWC3_HOST',
    'pins for people': 'I2C_DESIGNWARE_CORE I2C_DESIGNWARE_PLATFORM',
  },
};
