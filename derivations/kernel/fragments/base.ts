// What every kernel here has, whatever it runs on: programs, processes, time, memory, files, consoles.

import type { Fragment } from '../fragment.ts';

export const base: Fragment = {
  name: 'base',
  on: {
    'one kernel for several processors': '64BIT SMP SCHED_MC JUMP_LABEL',
    'without EXPERT many defaults cannot be chosen': 'EXPERT',
    'messages, and names in them':
      'PRINTK PRINTK_TIME BUG DEBUG_BUGVERBOSE SYMBOLIC_ERRNAME KALLSYMS MAGIC_SYSRQ MAGIC_SYSRQ_SERIAL',
    programs:
      'BINFMT_ELF BINFMT_SCRIPT BINFMT_MISC MULTIUSER COREDUMP ELF_CORE CORE_DUMP_DEFAULT_ELF_HEADERS',
    'what C libraries, Go and Python are made on': `
      FUTEX EPOLL SIGNALFD TIMERFD EVENTFD SHMEM AIO IO_URING ADVISE_SYSCALLS MEMBARRIER RSEQ POSIX_TIMERS SYSVIPC
      POSIX_MQUEUE CROSS_MEMORY_ATTACH KCMP CACHESTAT_SYSCALL SECRETMEM`,
    'useradd, udev and growpart fail without file locks': 'FILE_LOCKING',
    'what watches files': 'INOTIFY_USER FANOTIFY FHANDLE DNOTIFY',
    time: 'HIGH_RES_TIMERS HZ_250',
    'kernel file systems': `
      PROC_FS PROC_SYSCTL PROC_PAGE_MONITOR PROC_CHILDREN SYSFS TMPFS TMPFS_POSIX_ACL TMPFS_XATTR DEVTMPFS
      DEVTMPFS_MOUNT CONFIGFS_FS`,
    memory: 'SWAP COMPACTION MIGRATION VM_EVENT_COUNTERS',
    'the empty first root has /dev/console; people may bring an initrd of their own': `
      BLK_DEV_INITRD RD_GZIP RD_ZSTD`,
    'modules of people, although none is needed': 'MODULES MODULE_UNLOAD',
    'the configuration can be read in /proc/config.gz': 'IKCONFIG IKCONFIG_PROC',
    'pressure, as systemd reads it': 'PSI',
    perf: 'PERF_EVENTS',
    'block devices': `
      BLOCK BLK_DEV BLK_DEV_LOOP PARTITION_ADVANCED BLK_DEV_BSG MSDOS_PARTITION EFI_PARTITION MQ_IOSCHED_DEADLINE`,
    'the mounted root is grown at first boot': 'BLK_DEV_WRITE_MOUNTED',
    'a console and who logs in on it': `
      TTY VT VT_CONSOLE CONSOLE_TRANSLATIONS UNIX98_PTYS LDISC_AUTOLOAD SERIAL_8250 SERIAL_8250_CONSOLE SERIAL_8250_EXTENDED
      SERIAL_8250_SHARE_IRQ`,
    'a screen that the firmware has set up': 'FB FB_EFI FRAMEBUFFER_CONSOLE',
    'keyboards and buttons': 'INPUT INPUT_EVDEV INPUT_KEYBOARD HID_SUPPORT HID HID_GENERIC USB_HID',
    'random numbers': 'HW_RANDOM',
    'firmware from the root file system': 'FW_LOADER',
    'the clock is set from the hardware before anything runs':
      'RTC_CLASS RTC_HCTOSYS RTC_SYSTOHC RTC_INTF_DEV RTC_INTF_SYSFS',
    UEFI: 'EFI EFI_STUB EFIVAR_FS',
    'tables of the firmware': 'ACPI ACPI_BUTTON DMI DMIID',
    PCI: 'PCI PCI_MSI PCI_QUIRKS PCIEPORTBUS PCIEASPM',
    watchdog: 'WATCHDOG WATCHDOG_HANDLE_BOOT_ENABLED WATCHDOG_SYSFS I6300ESB_WDT',
    'power and heat': 'PM CPU_FREQ CPU_FREQ_GOV_PERFORMANCE CPU_IDLE THERMAL HWMON THERMAL_HWMON',
    'without records for debuggers': 'DEBUG_INFO_NONE',
  },
  off: {
    'the version says nothing of the folder it was built in': 'LOCALVERSION_AUTO',
    'a kernel that a person boots is not beaten by a compiler warning': 'WERROR',
  },
  // A board without a screen starts anew after a panic, in time for its message to be read on the serial line.
  values: { PANIC_TIMEOUT: 10 },
};
