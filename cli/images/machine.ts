// From what an image says of its machine, or a board that was asked for, to QEMU's arguments. Pure;
// www.qemu.org/docs/master/system/invocation.html.

import type { BoardStart } from './board.ts';
import type { RunDescription } from './description.ts';

interface Attached {
  /** A qcow2 disk, as QEMU sees it. */
  readonly disk: string;
  /** A port of this machine that leads to the ssh server inside. */
  readonly sshPort: number | undefined;
  readonly debug: DebugPort | undefined;
}

/** Where a debugger finds the machine's processors. */
export interface DebugPort {
  /** Of this machine alone. */
  readonly port: number;
  /** Whether nothing runs before the debugger says so. */
  readonly waits: boolean;
}

/** Firmware that finds the kernel on the disk, or the kernel itself and its command line. */
export type Start =
  | { readonly kind: 'firmware' }
  | { readonly kind: 'kernel'; readonly kernel: string; readonly commandLine: string };

/** A machine to start, all paths as QEMU sees them. */
export interface Machine extends Attached {
  readonly description: RunDescription;
  readonly start: Start;
  readonly memoryMb: number;
  readonly processors: number;
  /** Run on this machine's processor instead of emulating one. */
  readonly kvm: boolean;
  /** The folder with the firmware. */
  readonly firmware: string;
}

/** A board has its own processors and memory, and no firmware in QEMU. */
export interface BoardMachine extends Attached {
  readonly board: BoardStart;
}

/** How many processors QEMU gives a machine: `virt` has the interrupt controller that every kernel knows. */
export const mostProcessors = { virt: 8, q35: 255 } as const satisfies Record<
  RunDescription['machine'],
  number
>;

// One of the addresses that these boards have. Linux calls an adapter "eth0" only when its address is of a maker's.
const boardAddress = 'b8:27:eb:00:00:01';

const emulated = ['-accel', 'tcg,thread=multi'];

/** The program for it and its arguments. The console is on standard input and output; Ctrl-A x ends the machine. */
export function machineCommand(machine: Machine): string[] {
  const { description, memoryMb, processors, kvm, disk } = machine;
  return [
    description.machine === 'virt' ? 'qemu-system-aarch64' : 'qemu-system-x86_64',
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'mon:stdio'],
    ...['-machine', description.machine, '-smp', String(processors), '-m', String(memoryMb)],
    ...(kvm ? ['-accel', 'kvm', '-cpu', 'host'] : [...emulated, '-cpu', description.cpu]),
    ...startArguments(machine),
    ...['-drive', `if=none,id=disk,${driveOptions(disk)}`, '-device', diskDevice(machine)],
    ...['-netdev', networkOptions(machine), '-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-device', 'virtio-rng-pci'],
    ...debugArguments(machine),
  ];
}

/** The same for a board: the disk is its card, the network an adapter on its USB, the console its second serial port. */
export function boardCommand({ board, ...attached }: BoardMachine): string[] {
  const { name, kernel, deviceTree, commandLine } = board;
  return [
    'qemu-system-aarch64',
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'null', '-serial', 'mon:stdio'],
    ...['-machine', name, ...emulated],
    ...['-kernel', kernel, '-dtb', deviceTree, '-append', commandLine],
    ...['-drive', `if=sd,${driveOptions(attached.disk)}`],
    ...['-netdev', networkOptions(attached), '-device', `usb-net,netdev=net,mac=${boardAddress}`],
    ...debugArguments(attached),
  ];
}

// A PC's kernel that is handed over is the first thing to start from itself.
function diskDevice({ start }: Machine): string {
  return `virtio-blk-pci,drive=disk${start.kind === 'firmware' ? ',bootindex=0' : ''}`;
}

// What is written is gone when the machine ends, so nothing needs to wait for a real disk.
function driveOptions(disk: string): string {
  return `format=qcow2,cache=unsafe,file=${disk}`;
}

function networkOptions({ sshPort }: Pick<Attached, 'sshPort'>): string {
  return `user,id=net${sshPort === undefined ? '' : `,hostfwd=tcp:127.0.0.1:${sshPort}-:22`}`;
}

function debugArguments({ debug }: Pick<Attached, 'debug'>): string[] {
  if (debug === undefined) return [];
  return ['-gdb', `tcp:127.0.0.1:${debug.port}`, ...(debug.waits ? ['-S'] : [])];
}

function startArguments({ description, start, firmware }: Machine): string[] {
  if (start.kind === 'kernel') {
    const handed = ['-kernel', start.kernel, '-append', start.commandLine];
    // An arm64 kernel is started by QEMU itself; a PC needs somebody to say what memory there is.
    return description.machine === 'virt' ? handed : ['-bios', `${firmware}/qboot.rom`, ...handed];
  }
  // The firmware neither offers a menu for some seconds nor looks for other disks and networks to start from.
  return [...firmwareArguments(description, firmware), '-boot', 'menu=on,splash-time=0'];
}

function firmwareArguments(description: RunDescription, firmware: string): string[] {
  switch (description.firmware) {
    case 'edk2-aarch64':
      return ['-bios', `${firmware}/edk2-aarch64.fd`];
    case 'ovmf':
      return [
        ...['-drive', `if=pflash,format=raw,readonly=on,file=${firmware}/ovmf-code.fd`],
        // Its settings may change while it runs, and are forgotten.
        ...['-drive', `if=pflash,format=raw,snapshot=on,file=${firmware}/ovmf-variables.fd`],
      ];
  }
}
