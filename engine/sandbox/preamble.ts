// A program of our own that comes before bubblewrap: it makes the system calls it was made with, and becomes the command
// that its arguments name. What they set (limits, processors, where processes are counted) holds for all that follows, and
// neither Node nor bubblewrap can set it. Pure; prlimit(2), sched_setaffinity(2), user_namespaces(7).

import { dataAddress, machineProgram } from './machine-program.ts';

/** What the kernel is to hold every process of a sandbox to. */
export interface Holds {
  /** For each resource of setrlimit(2), by its number in asm-generic/resource.h. */
  readonly limits: ReadonlyMap<number, Limit>;
  /** The processors it may use, by the machine's numbers. */
  readonly processors: readonly number[];
  readonly ownCount: OwnCount | undefined;
}

/**
 * A limit of processes and threads that all of a sandbox have together and nothing else of this user is counted for. It takes a
 * user namespace around that of bubblewrap, since the kernel counts by these; where none can be made, bubblewrap is to say so.
 */
export interface OwnCount {
  readonly most: Limit;
  /** Who this process is. */
  readonly uid: number;
  readonly gid: number;
}

export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

// loops over calls of six numbers: the call's own, four arguments, and what to do if it fails; a first argument of -1 is what
// the call before gave. After one whose own number is negative, execve(argv[1], argv + 1, environment). Refused, it ends with
// exit_group(125).
//
//   mov rbx, rsp          lea r12, [rip + calls]
//   next:                 mov rax, [r12]           test rax, rax          js become
//   mov rdi, [r12 + 8]    cmp rdi, -1              cmove rdi, r13
//   mov rsi, [r12 + 16]   mov rdx, [r12 + 24]      mov r10, [r12 + 32]
//   syscall               mov r13, rax             test rax, rax          js failed
//   add r12, 48           jmp next
//   failed:               cmp qword ptr [r12 + 40], 0                     je refused
//   become:               lea rsi, [rbx + 16]      mov rdi, [rsi]         mov rax, [rbx]
//   lea rdx, [rbx + rax * 8 + 16]                  mov eax, 59            syscall
//   refused:              mov edi, 125             mov eax, 231           syscall           (padding to 8 bytes)
const instructions = Buffer.from(
  '4889e34c8d2566000000498b04244885c07834498b7c24084883ffff490f44fd498b742410498b5424184d8b5424200f054989c5' +
    '4885c078064983c430ebcb49837c2428007416488d7310488b3e488b03488d54c310b83b0000000f05bf7d000000b8e700' +
    '00000f050f1f8000000000',
  'hex',
);

/** What follows a call that failed. */
const orRefuse = 0n;
const orBecome = 1n;

const end = -1n;
const resultBefore = -1n;
const thisProcess = 0n;
const currentFolder = -100n;
const writeOnlyClosedOnExec = 0o2000001n;
const newUserNamespace = 0x10000000n;
const processesResource = 6n;
const calls = { write: 1n, setAffinity: 203n, openAt: 257n, unshare: 272n, prlimit: 302n } as const;
const numbersInCall = 6;

/** Numbers and, by their address, bytes. */
type Argument = bigint | Buffer;

/** The program's bytes. */
export function preamble({ limits, processors, ownCount }: Holds): Buffer {
  return program([
    ...[...limits].map(([resource, limit]) => setLimit(BigInt(resource), limit)),
    setProcessors(processors),
    ...(ownCount === undefined ? [] : countApart(ownCount)),
  ]);
}

function setLimit(resource: bigint, { soft, hard }: Limit): Argument[] {
  return [calls.prlimit, thisProcess, resource, words([soft, hard]), 0n, orRefuse];
}

function setProcessors(processors: readonly number[]): Argument[] {
  const mask = words(maskOf(processors));
  return [calls.setAffinity, thisProcess, BigInt(mask.length), mask, 0n, orRefuse];
}

// The limit is set inside: the one at the namespace's beginning is what all of this user's processes are held to.
function countApart({ uid, gid, most }: OwnCount): Argument[][] {
  return [
    [calls.unshare, newUserNamespace, 0n, 0n, 0n, orBecome],
    ...say('setgroups', 'deny'),
    ...say('uid_map', `${uid} ${uid} 1`),
    ...say('gid_map', `${gid} ${gid} 1`),
    setLimit(processesResource, most),
  ];
}

function say(name: string, content: string): Argument[][] {
  const [path, bytes] = [Buffer.from(`/proc/self/${name}\0`), Buffer.from(content)];
  return [
    [calls.openAt, currentFolder, path, writeOnlyClosedOnExec, 0n, orRefuse],
    [calls.write, resultBefore, bytes, BigInt(bytes.length), 0n, orRefuse],
  ];
}

// The table of calls, and behind it the bytes that they name.
function program(table: readonly (readonly Argument[])[]): Buffer {
  let bytes = Buffer.alloc(0);
  const start = dataAddress(instructions.length) + 8 * (table.length * numbersInCall + 1);
  const numbers = table.flat().map((argument) => {
    if (typeof argument === 'bigint') return argument;
    const address = BigInt(start + bytes.length);
    bytes = Buffer.concat([bytes, argument]);
    return address;
  });
  return machineProgram(instructions, Buffer.concat([words([...numbers, end]), bytes]));
}

// A bit for each processor, in words of 64.
function maskOf(processors: readonly number[]): bigint[] {
  const mask = Array.from({ length: Math.floor(Math.max(...processors) / 64) + 1 }, () => 0n);
  for (const processor of processors) mask[Math.floor(processor / 64)]! |= 1n << BigInt(processor % 64);
  return mask;
}

function words(values: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [at, value] of values.entries()) bytes.writeBigUInt64LE(BigInt.asUintN(64, value), 8 * at);
  return bytes;
}
