// Which system calls a step may make, as the filter that bubblewrap hands to the kernel: a classic BPF program over struct
// seccomp_data (seccomp(2), linux/seccomp.h, linux/filter.h). What is refused is either a way to the machine, or a channel
// that no action id covers: extended attributes, access lists and file flags would travel with a file that an output keeps.
// Refused as by a kernel or file system that lacks it, so that cp, tar and rsync go on without. Pure; x86_64 only.

/** Errors as the kernel numbers them, errno(3). */
const errors = { EPERM: 1, ENOSYS: 38, EOPNOTSUPP: 95, EAFNOSUPPORT: 97 } as const;
type ErrorName = keyof typeof errors;

/** Numbers from the kernel's arch/x86/entry/syscalls/syscall_64.tbl. */
const refused: Readonly<Record<Exclude<ErrorName, 'EAFNOSUPPORT'>, Readonly<Record<string, number>>>> = {
  EOPNOTSUPP: {
    ...{ setxattr: 188, lsetxattr: 189, fsetxattr: 190, getxattr: 191, lgetxattr: 192, fgetxattr: 193 },
    ...{ listxattr: 194, llistxattr: 195, flistxattr: 196 },
    ...{ removexattr: 197, lremovexattr: 198, fremovexattr: 199 },
    ...{ setxattrat: 463, getxattrat: 464, listxattrat: 465, removexattrat: 466 },
    ...{ file_getattr: 468, file_setattr: 469 },
  },
  ENOSYS: {
    ...{ add_key: 248, request_key: 249, keyctl: 250 },
    ...{ bpf: 321, perf_event_open: 298, userfaultfd: 323, memfd_secret: 447 },
    ...{ io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 },
    ...{ open_tree: 428, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, fspick: 433 },
    ...{ mount_setattr: 442, statmount: 457, listmount: 458, open_tree_attr: 467 },
    ...{ kexec_load: 246, kexec_file_load: 320, lookup_dcookie: 212, kcmp: 312 },
    ...{ quotactl: 179, quotactl_fd: 443, nfsservctl: 180, fanotify_init: 300 },
  },
  EPERM: {
    ...{ mount: 165, umount2: 166, pivot_root: 155, chroot: 161, unshare: 272, setns: 308 },
    ...{ init_module: 175, finit_module: 313, delete_module: 176 },
    ...{ reboot: 169, swapon: 167, swapoff: 168, acct: 163, syslog: 103, vhangup: 153 },
    ...{ settimeofday: 164, clock_settime: 227, adjtimex: 159, clock_adjtime: 305 },
    ...{ iopl: 172, ioperm: 173, name_to_handle_at: 303, open_by_handle_at: 304 },
  },
};

const socketCall = 41;
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: a loopback of its own is all that these reach. */
const socketFamilies = [1, 2, 10, 16];

const ioctlCall = 16;
const refusedIoctls: readonly (readonly [name: string, request: number, error: ErrorName])[] = [
  ['FS_IOC_SETFLAGS', 0x40086602, 'EOPNOTSUPP'],
  ['FS_IOC32_SETFLAGS', 0x40046602, 'EOPNOTSUPP'],
  ['FS_IOC_FSSETXATTR', 0x401c5820, 'EOPNOTSUPP'],
  ['TIOCSTI', 0x5412, 'EPERM'],
  ['TIOCLINUX', 0x541c, 'EPERM'],
];

// Opcodes: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JGE|BPF_K, BPF_RET|BPF_K.
const load = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const giveBack = 0x06;

/** Offsets in struct seccomp_data; of arguments the lower half, as x86 stores it first. */
const offset = { number: 0, architecture: 4, firstArgument: 16, secondArgument: 24 } as const;

const allow = 0x7fff0000;
const failWith = (error: ErrorName): number => 0x00050000 | errors[error];

const x86_64 = 0xc000003e;
/** Calls of the x32 ABI have this bit in their number. */
const x32Bit = 0x40000000;

interface Instruction {
  readonly code: number;
  /** Instructions to skip when the comparison holds, and when it does not. */
  readonly ifTrue: number;
  readonly ifFalse: number;
  readonly value: number;
}

/** The program's bytes: struct sock_filter, 8 bytes each, in this machine's byte order. */
export function systemCallFilter(): Buffer {
  const program = [
    take(offset.architecture),
    ...unlessEqual(x86_64, [end(failWith('ENOSYS'))]),
    take(offset.number),
    { code: jumpIfAtLeast, value: x32Bit, ifTrue: 0, ifFalse: 1 },
    end(failWith('ENOSYS')),
    ...(Object.keys(refused) as (keyof typeof refused)[]).flatMap((error) =>
      Object.values(refused[error]).flatMap((number) => ifEqual(number, [end(failWith(error))])),
    ),
    ...ifEqual(socketCall, [
      take(offset.firstArgument),
      ...socketFamilies.flatMap((family) => ifEqual(family, [end(allow)])),
      end(failWith('EAFNOSUPPORT')),
    ]),
    ...ifEqual(ioctlCall, [
      take(offset.secondArgument),
      ...refusedIoctls.flatMap(([, request, error]) => ifEqual(request, [end(failWith(error))])),
      end(allow),
    ]),
    end(allow),
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, { code, ifTrue, ifFalse, value }] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifTrue, at * 8 + 2);
    bytes.writeUInt8(ifFalse, at * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, at * 8 + 4);
  }
  return bytes;
}

function take(from: number): Instruction {
  return { code: load, ifTrue: 0, ifFalse: 0, value: from };
}

function end(action: number): Instruction {
  return { code: giveBack, ifTrue: 0, ifFalse: 0, value: action };
}

function ifEqual(value: number, then: readonly Instruction[]): Instruction[] {
  return [{ code: jumpIfEqual, value, ifTrue: 0, ifFalse: then.length }, ...then];
}

function unlessEqual(value: number, then: readonly Instruction[]): Instruction[] {
  return [{ code: jumpIfEqual, value, ifTrue: then.length, ifFalse: 0 }, ...then];
}
