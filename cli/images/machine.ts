// From what an image says of its machine to QEMU's arguments. Pure; www.qemu.org/docs/master/system/invocation.html.

import type { RunDescription } from './description.ts';

/** A machine to start, all paths as QEMU sees them. */
export interface Machine {
  readonly description: RunDescription;
  readonly memoryMb: number;
  readonly cpus: number;
  /** Run on this machine's processor instead of emulating one. */
  readonly kvm: boolean;
  /** A port of this machine that leads to the ssh server inside. */
  readonly sshPort: number | undefined;
  /** A qcow2 disk. */
  readonly disk: string;
  /** The folder with the firmware. */
  readonly firmware: string;
}

/** The program for it and its arguments. The console is on standard input and output; Ctrl-A x ends the machine. */
export function machineCommand(machine: Machine): string[] {
  const { description, memoryMb, cpus, kvm, sshPort, disk } = machine;
  const forward = sshPort === undefined ? '' : `,hostfwd=tcp:127.0.0.1:${sshPort}-:22`;
  return [
    description.machine === 'virt' ? 'qemu-system-aarch64' : 'qemu-system-x86_64',
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'mon:stdio'],
    ...['-machine', description.machine, '-smp', String(cpus), '-m', String(memoryMb)],
    ...(kvm ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg,thread=multi', '-cpu', description.cpu]),
    ...firmwareArguments(machine),
    // What is written is gone when the machine ends, so nothing needs to wait for a real disk.
    ...['-drive', `if=none,id=disk,format=qcow2,cache=unsafe,file=${disk}`],
    ...['-device', 'virtio-blk-pci,drive=disk'],
    ...['-netdev', `user,id=net${forward}`, '-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-device', 'virtio-rng-pci'],
  ];
}

function firmwareArguments({ description, firmware }: Machine): string[] {
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
