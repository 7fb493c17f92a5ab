// A kernel cut down until a clean build takes a minute or two: what it has is there to be edited, not to be started. Modules of
// one file and of several, and some that others need. Its device trees are of a configuration of their own, with the chips that
// code would have to be compiled for otherwise.

import { buildKernel, type Kernel } from '../../derivations/kernel/kernel.ts';
import { mergeFragments, type Fragment } from '../../derivations/kernel/fragment.ts';
import type { PinsByName } from '../../derivations/lib/pins.ts';
import type { Target } from '../../engine/model/index.ts';

const code: Fragment = {
  name: 'cut',
  on: {
    'without EXPERT many defaults cannot be chosen': 'EXPERT 64BIT CC_OPTIMIZE_FOR_SIZE',
    'so that modules are part of it': 'MODULES',
    'so that what it says is part of it': 'PRINTK',
    'without records for debuggers': 'DEBUG_INFO_NONE',
  },
  modules: {
    'of one file': 'CRC7 CRC4',
    'of several': 'AUTOFS_FS',
    'some that others need': 'CONFIGFS_FS IIO IIO_CONFIGFS IIO_SW_TRIGGER IIO_SW_DEVICE',
  },
  off: {
    'the version says nothing of the folder it was built in': 'LOCALVERSION_AUTO',
    'a warning is none': 'WERROR',
  },
};

const boards: Fragment = {
  name: 'cut-boards',
  on: {
    'without EXPERT many defaults cannot be chosen': 'EXPERT',
    'the Raspberry Pi’s chips': 'ARCH_BCM ARCH_BCM2835',
  },
};

export interface Where {
  readonly pins: PinsByName;
  readonly target: Target;
}

/** @example cutKernel({ pins, target: 'x86_64-linux' }).image */
export function cutKernel({ pins, target }: Where): Kernel {
  const common = { pins, target };
  const kernel = buildKernel({
    ...common,
    name: 'kernel-cut',
    options: mergeFragments([code]),
    hasDeviceTrees: false,
  });
  if (target !== 'aarch64-linux') return kernel;
  const withBoards = buildKernel({
    ...common,
    name: 'kernel-boards',
    options: mergeFragments([boards]),
    hasDeviceTrees: true,
  });
  return { ...kernel, dtbs: withBoards.dtbs };
}
