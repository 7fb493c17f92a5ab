// A small assembler: a WebAssembly module of one function over one memory, from instructions written by name. Knows the binary
// format (webassembly.github.io/spec/core/binary), and nothing of what the function computes.

/** Instructions of the format that are used here, by their names in its text form. */
const opcodes = {
  block: 0x02,
  loop: 0x03,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  'local.get': 0x20,
  'local.set': 0x21,
  'local.tee': 0x22,
  'global.get': 0x23,
  'global.set': 0x24,
  'i64.load': 0x29,
  'i32.load8_u': 0x2d,
  'i32.const': 0x41,
  'i64.const': 0x42,
  'i32.lt_u': 0x49,
  'i32.ge_u': 0x4f,
  'i64.eqz': 0x50,
  'i32.add': 0x6a,
  'i32.shl': 0x74,
  'i64.add': 0x7c,
  'i64.and': 0x83,
  'i64.shl': 0x86,
} as const;

const types = { i32: 0x7f, i64: 0x7e } as const;
type Type = keyof typeof types;
const noResult = 0x40;

/** An instruction with its immediate operands, all of them integers. */
export type Instruction = readonly [name: keyof typeof opcodes, ...immediates: readonly number[]];

export interface WasmFunction {
  readonly name: string;
  /** Locals 0, 1, …; the rest follow. */
  readonly parameters: readonly Type[];
  readonly result: Type;
  readonly locals: readonly Type[];
  readonly body: readonly Instruction[];
}

export interface WasmModule {
  /** Exported as `memory`. */
  readonly memoryBytes: number;
  /** Each mutable, 0 at first, and exported by its name. */
  readonly globals: Readonly<Record<string, Type>>;
  readonly function: WasmFunction;
}

const pageBytes = 65_536;

/** The module's bytes, for `new WebAssembly.Module`. */
export function assemble(module: WasmModule): Uint8Array {
  const { parameters, result, name } = module.function;
  const globals = Object.entries(module.globals);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d], // "\0asm"
    ...[1, 0, 0, 0], // version
    ...section(1, [[0x60, ...vector(parameters.map((type) => [types[type]])), 1, types[result]]]),
    ...section(3, [[0]]), // one function, of the first type
    ...section(5, [[0, ...unsigned(Math.ceil(module.memoryBytes / pageBytes))]]),
    ...section(
      6,
      globals.map(([, type]) => [types[type], 1, ...instruction([`${type}.const`, 0]), opcodes.end]),
    ),
    ...section(7, [
      [...text('memory'), 2, 0],
      [...text(name), 0, 0],
      ...globals.map(([global], at) => [...text(global), 3, ...unsigned(at)]),
    ]),
    ...section(10, [sized(functionBody(module.function))]),
  ]);
}

function functionBody({ locals, body }: WasmFunction): number[] {
  return [...vector(locals.map((type) => [1, types[type]])), ...body.flatMap(instruction), opcodes.end];
}

function instruction([name, ...immediates]: Instruction): number[] {
  if (name === 'block' || name === 'loop') return [opcodes[name], noResult];
  const isConstant = name === 'i32.const' || name === 'i64.const';
  return [opcodes[name], ...immediates.flatMap(isConstant ? signed : unsigned)];
}

function section(id: number, entries: readonly (readonly number[])[]): number[] {
  return [id, ...sized(vector(entries))];
}

function vector(entries: readonly (readonly number[])[]): number[] {
  return [...unsigned(entries.length), ...entries.flat()];
}

function sized(bytes: readonly number[]): number[] {
  return [...unsigned(bytes.length), ...bytes];
}

function text(characters: string): number[] {
  return sized([...Buffer.from(characters)]);
}

// LEB128, as all integers of the format are.
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const [low, rest] = [value & 0x7f, value >> 7];
  const isLast = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
