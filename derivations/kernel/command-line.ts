// The kernel's built-in command line, for when firmware starts it without one: UEFI starting it as a program from the
// boot partition. A boot loader that gives one (a Raspberry Pi's firmware, QEMU's -append) is obeyed on arm64; on x86 its
// words come after these and so win.

import type { Target } from '../../engine/model/index.ts';
import { rootDevice } from '../system/partition-ids.ts';
import type { Fragment } from './fragment.ts';

// The last console is /dev/console, where services' messages go and a login is offered.
const consoles: Readonly<Record<Target, string>> = {
  'aarch64-linux': 'console=tty0 console=ttyAMA0,115200',
  'x86_64-linux': 'console=tty0 console=ttyS0,115200',
};

/**
 * Words of a command line that every image needs.
 * @example rootArguments('aarch64-linux') // 'root=PARTUUID=5a3c1f00-02 rootwait rw'
 */
export function rootArguments(target: Target): string {
  return `root=${rootDevice(target)} rootwait rw`;
}

/** All of the command line that an image starts with: where its root and its consoles are. */
export function commandLine(target: Target): string {
  return `${rootArguments(target)} ${consoles[target]}`;
}

/** The fragment that builds the command line in. */
export function builtInCommandLine(target: Target): Fragment {
  return { name: 'command-line', values: { CMDLINE: commandLine(target) } };
}
