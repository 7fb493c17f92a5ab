// The smallest image that is composed and booted as those of the package set are, in the time that continuous integration
// has: a kernel of our own sources with next to nothing in it, and one prebuilt program as the whole userland.

import {
  createImage,
  createRootFileSystem,
  imageTools,
  kernelModule,
  outputsOfImage,
  withModules,
  type Component,
  type Feature,
} from '../../derivations/index.ts';
import { standInFiles } from '../../derivations/images/direct.ts';
import { efiBootFiles } from '../../derivations/firmware/boot-files.ts';
import { builtInCommandLine, commandLine } from '../../derivations/kernel/command-line.ts';
import { mergeFragments, type Fragment } from '../../derivations/kernel/fragment.ts';
import { buildKernel, type Kernel } from '../../derivations/kernel/kernel.ts';
import { console } from '../../derivations/system/features/console.ts';
import { kernelSettings } from '../../derivations/system/features/kernel-settings.ts';
import type { PinsByName } from '../../derivations/lib/pins.ts';
import { partitionTable } from '../../derivations/system/partition-ids.ts';
import { fetchUrl, from, unpack, write, type Output } from '../../engine/model/index.ts';

/** What its kernel is asked for. */
export const smallestFragment: Fragment = {
  name: 'smallest',
  on: {
    'without EXPERT many defaults cannot be chosen': 'EXPERT 64BIT CC_OPTIMIZE_FOR_SIZE',
    programs: `
      PRINTK BINFMT_ELF BINFMT_SCRIPT MULTIUSER FUTEX EPOLL SIGNALFD TIMERFD EVENTFD SHMEM ADVISE_SYSCALLS POSIX_TIMERS
      FILE_LOCKING MODULES`,
    'poweroff, as `console` does it': 'MAGIC_SYSRQ',
    'kernel file systems': 'PROC_FS PROC_SYSCTL SYSFS TMPFS DEVTMPFS DEVTMPFS_MOUNT',
    'the disk': 'BLOCK BLK_DEV PARTITION_ADVANCED MSDOS_PARTITION VIRTIO_MENU VIRTIO_PCI VIRTIO_BLK',
    'root and /boot': 'EXT4_FS VFAT_FS NLS_CODEPAGE_437 NLS_ASCII',
    'the machine': 'ARM64_4K_PAGES ARM64_VA_BITS_48 EFI EFI_STUB ACPI PCI PCI_MSI PCI_HOST_GENERIC',
    'its console': 'TTY UNIX98_PTYS SERIAL_AMBA_PL011 SERIAL_AMBA_PL011_CONSOLE CMDLINE_FROM_BOOTLOADER',
    'without records for debuggers': 'DEBUG_INFO_NONE',
  },
  off: {
    'the version says nothing of the folder it was built in': 'LOCALVERSION_AUTO',
    'a warning is none': 'WERROR',
  },
  values: { FAT_DEFAULT_CODEPAGE: 437, FAT_DEFAULT_IOCHARSET: 'ascii' },
};

// Its names, as far as the first process of `console` uses them.
const names = 'sh awk cat echo grep id mkdir mount ps setsid sleep stat stty sync sysctl tty umount uname';

// What the shell of `console` is started by; this one starts it at once.
const agetty = `#!/bin/sh
console=$6
cd /root
exec <"/dev/$console" >"/dev/$console" 2>&1
export PS1='root@smallest:~# '
# What a machine does beside it.
[ ! -x /usr/sbin/start-services ] || /usr/sbin/start-services
exec sh
`;

const people: Feature = {
  name: 'people',
  users: [{ name: 'root', id: 0, home: '/root', shell: '/bin/sh' }],
  groups: [{ name: 'shadow', id: 42 }],
  files: {
    ...Object.fromEntries(names.split(' ').map((name) => [`usr/bin/${name}`, { symlink: 'busybox' }])),
    'usr/sbin/agetty': { text: agetty, mode: '0755' },
    'usr/bin/mountpoint': { text: '#!/bin/sh\ngrep -q " $2 " /proc/mounts\n', mode: '0755' },
    // As a set-user-id program is.
    'usr/bin/su': { text: '#!/bin/sh\n', mode: '4755' },
  },
  folders: {
    ...{ boot: {}, dev: {}, run: {}, proc: { mode: '0555' }, sys: { mode: '0555' } },
    ...{ root: { mode: '0700' }, tmp: { mode: '1777' } },
  },
};

export const target = 'aarch64-linux';

const archive = fetchUrl({
  name: 'busybox.deb',
  urls: ['mirror://debian/pool/main/b/busybox/busybox-static_1.37.0-6+b9_arm64.deb'],
  sha256: 'c833be48abfa16bc19c4966ec93e289ff1ce5d2f1476cad3a57bd105378cd15c',
});
const busyboxFiles = unpack({ name: 'busybox', archive, strip: 0 });
const busybox: Component = {
  name: 'busybox',
  version: '1:1.37.0-6+b9',
  licence: 'GPL-2.0-only',
  sources: [{ url: archive.urls[0]!, sha256: archive.sha256 }],
  notices: from(busyboxFiles, { subpath: 'usr/share/doc/busybox-static/copyright' }),
  tree: from(busyboxFiles),
};

/** The image and its parts, as a flake's outputs. */
export function smallestImage(pins: PinsByName): Readonly<Record<string, Output>> {
  return smallestImageOf('smallest', { pins, kernel: smallestKernel(pins) });
}

/** Its kernel as a debugger reads it, and the same image with a module of its own, `hello`. */
export function triedKernel(pins: PinsByName): Readonly<Record<string, Output>> {
  const kernel = smallestKernel(pins);
  const source = write({
    name: 'hello-source',
    files: { Kbuild: 'obj-m := hello.o\n', 'hello.c': helloModule },
  });
  const modules = { hello: kernelModule({ name: 'hello', pins, kernel, source }) };
  return {
    'kernel-smallest-debug': kernel.debug.derivation,
    ...smallestImageOf('smallest-hello', { pins, kernel: withModules(kernel, { pins, modules }) }),
  };
}

const helloModule = `#include <linux/module.h>

static int __init hello_init(void)
{
	pr_info("hello, here is a module\\n");
	return 0;
}

module_init(hello_init);
MODULE_DESCRIPTION("says hello");
MODULE_LICENSE("GPL");
`;

export function smallestKernel(pins: PinsByName): Kernel {
  return buildKernel({
    name: 'kernel-smallest',
    pins,
    target,
    options: mergeFragments([smallestFragment, builtInCommandLine(target)]),
    hasDeviceTrees: false,
  });
}

/** The same with another kernel, and more than a shell. */
export function smallestImageOf(
  name: string,
  {
    pins,
    kernel,
    features = [],
    components = [],
    slackBytes = 1e6,
  }: {
    readonly pins: PinsByName;
    readonly kernel: Kernel;
    readonly features?: readonly Feature[];
    readonly components?: readonly Component[];
    /** Of each partition, beside what is on it. */
    readonly slackBytes?: number;
  },
): Readonly<Record<string, Output>> {
  const root = createRootFileSystem(
    {
      name: `${name}-root`,
      hostname: 'smallest',
      fstab: [
        { what: '/dev/vda2', where: '/', type: 'ext4', options: 'noatime', check: 'first' },
        {
          what: '/dev/vda1',
          where: '/boot',
          type: 'vfat',
          options: 'noatime,umask=0077,flush',
          check: 'later',
        },
      ],
      features: [people, kernelSettings, console, ...features],
    },
    {
      pins,
      target,
      components: [busybox, ...components, { ...kernel.component, tree: kernel.modules }],
    },
  );
  const image = createImage(
    {
      name,
      description: 'a kernel and a shell on the console',
      target,
      disk: {
        table: partitionTable[target],
        partitions: [
          {
            role: 'boot',
            fileSystem: 'fat32',
            label: 'BOOT',
            slack: { bytes: slackBytes },
            content: efiBootFiles(kernel),
          },
          {
            role: 'root',
            fileSystem: 'ext4',
            label: 'root',
            slack: { bytes: slackBytes },
            growsAtFirstBoot: false,
            content: root.tree,
            attributes: root.attributes,
          },
        ],
      },
      kernel: kernel.component,
      components: root.components.filter(({ name }) => name !== kernel.component.name),
      licences: root.licences,
      budgetBytes: 40e6,
      machine: { machine: 'virt', cpu: 'cortex-a72', memoryMb: 256, firmware: 'edk2-aarch64' },
      direct: { kernel: kernel.image, commandLine: commandLine(target), bootFiles: standInFiles() },
    },
    imageTools(pins),
  );
  return outputsOfImage(name, image);
}
