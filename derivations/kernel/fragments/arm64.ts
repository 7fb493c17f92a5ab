// The processor family of the boards and of QEMU's virt machine.

import type { Fragment } from '../fragment.ts';

export const arm64: Fragment = {
  name: 'arm64',
  on: {
    'pages and addresses': 'ZONE_DMA ZONE_DMA32 ARM64_4K_PAGES ARM64_VA_BITS_48 ARM64_HW_AFDBM ARM64_CNP',
    'the kernel is not mapped in programs': 'UNMAP_KERNEL_AT_EL0 ARM64_E0PD',
    'branch history is cleared': 'MITIGATE_SPECTRE_BRANCH_HISTORY',
    'code and data are kept apart': `
      ARM64_PAN ARM64_EPAN ARM64_SW_TTBR0_PAN RODATA_FULL_DEFAULT_ENABLED STACKPROTECTOR_PER_TASK`,
    'pointers and branch targets are signed (not the kernel’s own targets: gcc gets that wrong)':
      'ARM64_PTR_AUTH ARM64_PTR_AUTH_KERNEL ARM64_BTI',
    'newer instructions':
      'ARM64_USE_LSE_ATOMICS ARM64_TAGGED_ADDR_ABI ARM64_SVE ARM64_TLB_RANGE ARM64_RAS_EXTN',
    'faults of Cortex-A53 (Pi 3)': `
      ARM64_ERRATUM_826319 ARM64_ERRATUM_827319 ARM64_ERRATUM_824069 ARM64_ERRATUM_819472 ARM64_ERRATUM_845719
      ARM64_ERRATUM_843419`,
    'faults of Cortex-A72 (Pi 4)': 'ARM64_ERRATUM_1319367 ARM64_ERRATUM_1742098',
    'faults of Cortex-A76 (Pi 5) and Neoverse-N1': `
      ARM64_ERRATUM_1165522 ARM64_ERRATUM_1286807 ARM64_ERRATUM_1418040 ARM64_ERRATUM_1463225 ARM64_ERRATUM_1542419
      ARM64_ERRATUM_3194386`,
    '32-bit containers': 'COMPAT COMPAT_32BIT_TIME UID16 KUSER_HELPERS',
    counters: 'ARM_PMU ARM_PMUV3',
    'idle and power by firmware':
      'ARM_PSCI_CPUIDLE HOTPLUG_CPU ARM_ARCH_TIMER_EVTSTREAM HW_RANDOM_ARM_SMCCC_TRNG',
    'the console and clock of the virt machine': `
      SERIAL_AMBA_PL011 SERIAL_AMBA_PL011_CONSOLE RTC_DRV_PL031 RTC_DRV_EFI`,
    'its PCI': 'PCI_HOST_GENERIC',
    'its power button': 'GPIOLIB GPIO_PL061 KEYBOARD_GPIO',
    'its watchdog': 'ARM_SBSA_WATCHDOG',
    'a command line of a boot loader comes before the built-in one': 'CMDLINE_FROM_BOOTLOADER',
  },
};
