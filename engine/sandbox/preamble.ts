// A program of our own that comes before bubblewrap: it makes the system calls it was made with, and becomes the command
// that its arguments name. What they set (limits, processors) is inherited by all that follows, and neither Node nor
// bubblewrap can set it. Pure; prlimit(2), sched_setaffinity(2).

import { dataAddress, machineProgram } from './machine-program.ts';

/** What the kernel is to hold every process of a sandbox to. */
export interface Holds {
  /** For each resource of setrlimit(2), by its number in asm-generic/resource.h. */
  readonly limits: ReadonlyMap<number, Limit>;
  /** The processors it may use, by the machine's numbers. */
  readonly processors: readonly number[];
}

export interface Limit {
  readonly soft: bigint;
  readonly hard: bigint;
}

// loops over calls of five numbers, the call's own and four arguments, until one that is negative; then execve(argv[1],
// argv + 1, environment). If any of it fails, exit_group(125).
//
//   mov rbx, rsp          lea r12, [rip + calls]
//   next:                 mov rax, [r12]           test rax, rax          js become
//   mov rdi, [r12 + 8]    mov rsi, [r12 + 16]      mov rdx, [r12 + 24]    mov r10, [r12 + 32]
//   syscall               test rax, rax            js refused             add r12, 40       jmp next
//   become:               lea rsi, [rbx + 16]      mov rdi, [rsi]         mov rax, [rbx]
//   lea rdx, [rbx + rax * 8 + 16]                  mov eax, 59            syscall
//   refused:              mov edi, 125             mov eax, 231           syscall           (padding to 8 bytes)
const instructions = Buffer.from(
  '4889e34c8d254e000000498b04244885c07821498b7c2408498b742410498b5424184d8b5424200f054885c0781c4983c428ebd6' +
    '488d7310488b3e488b03488d54c310b83b0000000f05bf7d000000b8e70000000f056690',
  'hex',
);

const numbersInCall = 5;
const end = -1n;
const prlimit = 302n;
const setAffinity = 203n;
const thisProcess = 0n;

/** The program's bytes. */
export function preamble({ limits, processors }: Holds): Buffer {
  const memory: bigint[] = [];
  const callCount = limits.size + 1;
  const start = dataAddress(instructions.length) + 8 * (callCount * numbersInCall + 1);
  const put = (values: readonly bigint[]): bigint => {
    const address = BigInt(start + 8 * memory.length);
    memory.push(...values);
    return address;
  };
  const calls = [...limits].map(([resource, { soft, hard }]) => [
    ...[prlimit, thisProcess, BigInt(resource), put([soft, hard]), 0n],
  ]);
  const mask = maskOf(processors);
  calls.push([setAffinity, thisProcess, BigInt(8 * mask.length), put(mask), 0n]);
  return machineProgram(instructions, words([...calls.flat(), end, ...memory]));
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
