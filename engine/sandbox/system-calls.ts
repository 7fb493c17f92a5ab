// Which system calls a step may make, as the filter that bubblewrap hands to the kernel: a classic BPF program over struct
// seccomp_data (seccomp(2), linux/seccomp.h, linux/filter.h). What is refused is either a way to the machine, or a channel
// that no action id covers: extended attributes, access lists and file flags would travel with a file that an output keeps,
// or a question whose answer differs from machine to machine. Refused as by a kernel or file system that lacks it, so that
// cp, tar and rsync go on without. Pure; x86_64 only: every other way into the kernel (32-bit, x32) is refused as a whole.

/** Errors as the kernel numbers them, errno(3). */
const errors = {
  EPERM: 1,
  ENOTTY: 25,
  ENOSYS: 38,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
} as const;
type ErrorName = keyof typeof errors;

/**
 * Numbers from the kernel's arch/x86/entry/syscalls/syscall_64.tbl. All that container runtimes refuse without
 * capabilities is here (moby's profiles/seccomp/default.json), and io_uring, which they refuse by newer profiles.
 */
const refused: Readonly<
  Record<Extract<ErrorName, 'EPERM' | 'ENOSYS' | 'EOPNOTSUPP'>, Readonly<Record<string, number>>>
> = {
  EOPNOTSUPP: {
    ...{ setxattr: 188, lsetxattr: 189, fsetxattr: 190, getxattr: 191, lgetxattr: 192, fgetxattr: 193 },
    ...{ listxattr: 194, llistxattr: 195, flistxattr: 196 },
    ...{ removexattr: 197, lremovexattr: 198, fremovexattr: 199 },
  },
  ENOSYS: {
    ...{ add_key: 248, request_key: 249, keyctl: 250 },
    ...{ bpf: 321, perf_event_open: 298, userfaultfd: 323 },
    ...{ io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 },
    ...{ open_tree: 428, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, fspick: 433 },
    ...{ kexec_load: 246, kexec_file_load: 320, lookup_dcookie: 212, kcmp: 312 },
    ...{ quotactl: 179, fanotify_init: 300, pidfd_getfd: 438, process_madvise: 440 },
    // Its flags lie in memory, where no filter looks; without it, C libraries use clone.
    ...{ clone3: 435 },
    // On which memory of how many nodes a page lies.
    ...{ mbind: 237, set_mempolicy: 238, get_mempolicy: 239, migrate_pages: 256, move_pages: 279 },
    // Calls that hardly a kernel still has.
    ...{ uselib: 134, ustat: 136, sysfs: 139, _sysctl: 156, create_module: 174, get_kernel_syms: 177 },
    ...{ query_module: 178, nfsservctl: 180, getpmsg: 181, putpmsg: 182, afs_syscall: 183, tuxcall: 184 },
    ...{ security: 185, vserver: 236 },
  },
  EPERM: {
    ...{ mount: 165, umount2: 166, pivot_root: 155, chroot: 161, unshare: 272, setns: 308 },
    ...{ sethostname: 170, setdomainname: 171 },
    ...{ init_module: 175, finit_module: 313, delete_module: 176 },
    ...{ reboot: 169, swapon: 167, swapoff: 168, acct: 163, syslog: 103, vhangup: 153 },
    ...{ settimeofday: 164, clock_settime: 227, adjtimex: 159, clock_adjtime: 305 },
    ...{ iopl: 172, ioperm: 173, name_to_handle_at: 303, open_by_handle_at: 304 },
  },
};

/**
 * The first call that Linux 5.10 does not have. A step sees the calls of that version on every kernel that cairn runs on:
 * what a newer one adds, attributes of files by other ways among it, is not there.
 */
const firstNewerCall = 441;

const socketCalls = { socket: 41, socketpair: 53 } as const;
const netlinkFamily = 16;
/** AF_UNIX, AF_INET, AF_INET6: a loopback of its own is all that these reach. */
const socketFamilies = [1, 2, 10];
/** NETLINK_ROUTE, by which programs list interfaces; the others tell of the machine's drivers, ciphers and audits. */
const netlinkRoute = 0;

const cloneCall = 56;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const newNamespaces = 0x7e020000;

const personalityCall = 135;
/** PER_LINUX and PER_LINUX32, each also with UNAME26 or ADDR_NO_RANDOMIZE; and the question which one it is. */
const personalities = [0, 0x8, 0x20000, 0x20008, 0x40000, 0x40008, 0xffffffff];

const ioctlCall = 16;
/**
 * Groups of requests: of terminals and descriptors (`T`), and of sockets. All others belong to devices that are not there, or
 * to file systems: flags, versions, labels, extents, snapshots and clones of files, which differ from disk to disk.
 */
const ioctlGroups = [0x5400, 0x8900];
const groupMask = 0xff00;
/** Pushing characters into a terminal, twice, and loading another line discipline. */
const refusedIoctls = { TIOCSTI: 0x5412, TIOCLINUX: 0x541c, TIOCSETD: 0x5423 } as const;

// Opcodes: BPF_LD|BPF_W|BPF_ABS, BPF_ALU|BPF_AND|BPF_K, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JGE|BPF_K, BPF_RET|BPF_K.
const load = 0x20;
const andWith = 0x54;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const giveBack = 0x06;

/** Offsets in struct seccomp_data; of arguments the lower half, as x86 stores it first. */
const offset = {
  number: 0,
  architecture: 4,
  firstArgument: 16,
  secondArgument: 24,
  thirdArgument: 32,
} as const;

const allow = 0x7fff0000;
const failWith = (error: ErrorName): number => 0x00050000 | errors[error];

const x86_64 = 0xc000003e;
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
    // Those of the x32 ABI, which have a high bit set, are among them.
    { code: jumpIfAtLeast, value: firstNewerCall, ifTrue: 0, ifFalse: 1 },
    end(failWith('ENOSYS')),
    ...(Object.keys(refused) as (keyof typeof refused)[]).flatMap((error) =>
      Object.values(refused[error]).flatMap((number) => ifEqual(number, [end(failWith(error))])),
    ),
    ...Object.values(socketCalls).flatMap((call) =>
      ifEqual(call, [
        take(offset.firstArgument),
        ...allowOnly(socketFamilies),
        ...unlessEqual(netlinkFamily, [end(failWith('EAFNOSUPPORT'))]),
        take(offset.thirdArgument),
        ...allowOnly([netlinkRoute]),
        end(failWith('EPROTONOSUPPORT')),
      ]),
    ),
    ...ifEqual(cloneCall, [
      take(offset.firstArgument),
      keep(newNamespaces),
      ...allowOnly([0]),
      end(failWith('EPERM')),
    ]),
    ...ifEqual(personalityCall, [
      take(offset.firstArgument),
      ...allowOnly(personalities),
      end(failWith('EPERM')),
    ]),
    ...ifEqual(ioctlCall, [
      take(offset.secondArgument),
      ...Object.values(refusedIoctls).flatMap((request) => ifEqual(request, [end(failWith('EPERM'))])),
      keep(groupMask),
      ...allowOnly(ioctlGroups),
      end(failWith('ENOTTY')),
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

function keep(mask: number): Instruction {
  return { code: andWith, ifTrue: 0, ifFalse: 0, value: mask };
}

function end(action: number): Instruction {
  return { code: giveBack, ifTrue: 0, ifFalse: 0, value: action };
}

function ifEqual(value: number, then: readonly Instruction[]): Instruction[] {
  return [{ code: jumpIfEqual, value, ifTrue: 0, ifFalse: then.length }, ...then];
}

function allowOnly(values: readonly number[]): Instruction[] {
  return values.flatMap((value) => ifEqual(value, [end(allow)]));
}

function unlessEqual(value: number, then: readonly Instruction[]): Instruction[] {
  return [{ code: jumpIfEqual, value, ifTrue: then.length, ifFalse: 0 }, ...then];
}
