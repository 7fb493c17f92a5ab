// The smallest files that a checker takes for programs: what the loader is told, and what compiler and linker say of how
// they are protected. They cannot be run.

/** What it differs in from a program that is protected in every way, and finds no library anywhere but where all are. */
export interface ElfFile {
  /** Part of it is made read-only once everything is looked up. */
  readonly isRelro?: boolean;
  /** Everything is looked up before it starts. */
  readonly isBoundNow?: boolean;
  /** What all of it was compiled with: the sum of 1 for IBT and 2 for SHSTK. */
  readonly features?: number;
  /** How many places it has that may be jumped to. */
  readonly marks?: number;
  /** The name that it looks up elsewhere. */
  readonly symbol?: string;
  /** Tag and text of a further entry for the loader. */
  readonly entry?: readonly [tag: number, text: string];
}

// Names and numbers are those of elf(5) and of the x86-64 psABI.
const segments = { load: 1, dynamic: 2, note: 4, relro: 0x6474_e552 } as const;
const tags = { strings: 5, stringsSize: 10, flags: 30 } as const;
const bindNow = 8;
/** endbr64. */
const markInstruction = Buffer.from('f30f1efa', 'hex');
const [headerBytes, segmentBytes] = [64, 56];

/** A program for x86-64. */
export function elfFile({
  isRelro = true,
  isBoundNow = true,
  features = 3,
  marks = 3,
  symbol = '__stack_chk_fail',
  entry,
}: ElfFile = {}): Buffer {
  const strings = Buffer.from(['', symbol, entry?.[1] ?? '', ''].join('\0'));
  const note = Buffer.concat([words32(4, 16, 5), Buffer.from('GNU\0'), words32(0xc000_0002, 4, features, 0)]);
  const kinds = [segments.load, segments.dynamic, segments.note, ...(isRelro ? [segments.relro] : [])];
  const notesAt = headerBytes + kinds.length * segmentBytes;
  const stringsAt = notesAt + note.length;
  const dynamicAt = Math.ceil((stringsAt + strings.length) / 8) * 8;
  const dynamic = words64(
    ...[tags.strings, stringsAt, tags.stringsSize, strings.length],
    ...(entry === undefined ? [] : [entry[0], 1 + symbol.length + 1]),
    ...(isBoundNow ? [tags.flags, bindNow] : []),
    ...[0, 0],
  );
  const code = Buffer.concat(Array<Buffer>(marks).fill(markInstruction));
  const end = dynamicAt + dynamic.length + code.length;
  const place = (kind: number): readonly [at: number, size: number] => {
    if (kind === segments.note) return [notesAt, note.length];
    return kind === segments.load ? [0, end] : [dynamicAt, dynamic.length];
  };
  const table = kinds.map((kind) => {
    const [at, size] = place(kind);
    return Buffer.concat([words32(kind, 4), words64(at, at, at, size, size, 8)]);
  });
  const file = Buffer.alloc(end);
  Buffer.concat([header(kinds.length), ...table, note, strings]).copy(file);
  Buffer.concat([dynamic, code]).copy(file, dynamicAt);
  return file;
}

function header(segmentCount: number): Buffer {
  const [identity, rest] = [Buffer.alloc(16), Buffer.alloc(headerBytes - 16)];
  Buffer.from('\x7fELF\x02\x01\x01').copy(identity);
  const [sharedObject, x8664, version] = [3, 62, 1];
  rest.writeUInt16LE(sharedObject, 0);
  rest.writeUInt16LE(x8664, 2);
  rest.writeUInt32LE(version, 4);
  rest.writeBigUInt64LE(BigInt(headerBytes), 16);
  for (const [at, value] of [headerBytes, segmentBytes, segmentCount].entries())
    rest.writeUInt16LE(value, 36 + 2 * at);
  return Buffer.concat([identity, rest]);
}

function words32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) bytes.writeUInt32LE(value, 4 * at);
  return bytes;
}

function words64(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [at, value] of values.entries()) bytes.writeBigUInt64LE(BigInt(value), 8 * at);
  return bytes;
}
