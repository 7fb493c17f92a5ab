// A program that makes system calls and writes down what the kernel answered: a step can ask for anything with it, without a C
// library that would not.

import { dataAddress, machineProgram } from '../../engine/sandbox/machine-program.ts';

/** A call's number, and up to six arguments; text and bytes are passed by their address. */
export type Call = readonly [number: number, ...args: (number | string | Buffer)[]];

// loops over calls of seven numbers, the call's own and six arguments, until one that is negative; makes each, writes what it
// gave to descriptor 1 as 8 bytes, and ends with exit_group(0).
const instructions = Buffer.from(
  '4c8d2551000000498b04244885c0783f498b7c2408498b742410498b5424184d8b5424204d8b4424284d8b4c24300f0549890424' +
    '498d3424ba08000000bf01000000b8010000000f054983c438ebb831ffb8e70000000f05',
  'hex',
);
const callAt = instructions.indexOf(Buffer.from('0f0549890424', 'hex'));
const numbersInCall = 7;

/** The program. `by32Bits` makes the calls through the kernel's 32-bit entry, by that architecture's numbers. */
export function probeProgram(
  calls: readonly Call[],
  { by32Bits = false }: { readonly by32Bits?: boolean } = {},
): Buffer {
  const code = Buffer.from(instructions);
  // int 0x80
  if (by32Bits) code.set([0xcd, 0x80], callAt);
  const start = dataAddress(code.length) + 8 * (calls.length * numbersInCall + 1);
  let memory = Buffer.alloc(0);
  const put = (value: number | string | Buffer): bigint => {
    if (typeof value === 'number') return BigInt(value);
    const address = BigInt(start + memory.length);
    memory = Buffer.concat([memory, Buffer.from(value), Buffer.alloc(1)]);
    return address;
  };
  const numbers = calls.flatMap((call) => [
    ...call.map(put),
    ...Array.from({ length: numbersInCall - call.length }, () => 0n),
  ]);
  const table = Buffer.alloc(8 * (numbers.length + 1));
  for (const [at, value] of [...numbers, -1n].entries())
    table.writeBigUInt64LE(BigInt.asUintN(64, value), 8 * at);
  return machineProgram(code, Buffer.concat([table, memory]), { isWritable: true });
}

/** What the kernel gave for each call: 0 and above, or an error's number, negative. */
export function probeAnswers(written: Buffer): number[] {
  return Array.from({ length: written.length / 8 }, (_, at) => Number(written.readBigInt64LE(8 * at)));
}
