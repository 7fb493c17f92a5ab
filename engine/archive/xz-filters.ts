// Which filters the first block of an .xz stream went through, for saying which of them nobody here can undo.
// Format: tukaani.org/xz/xz-file-format.txt, sections 2.1.1 (stream header), 3.1 (block header), 5.3 (filters).

/** As much of a stream as its header and the largest block header take. */
export const xzHeadBytes = 12 + 1024;

const known = new Set([0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x21]);
const newer: ReadonlyMap<number, string> = new Map([
  [0x0a, 'ARM64'],
  [0x0b, 'RISC-V'],
]);

/** The first filter that liblzma 5.2 lacks, as people call it; undefined when it has all of them. */
export function unknownFilter(head: Buffer): string | undefined {
  const id = filterIds(head.subarray(12)).find((filter) => !known.has(filter));
  return id === undefined ? undefined : (newer.get(id) ?? `number 0x${id.toString(16)}`);
}

// Its size in words, flags, sizes that the flags announce, then the filters: id, size of the properties, properties.
function filterIds(block: Buffer): number[] {
  if (block.length < 2 || block[0] === 0) return [];
  const header = block.subarray(0, (block[0]! + 1) * 4 - 4);
  const flags = header[1]!;
  const numbers = new Numbers(header, 2);
  for (const announced of [0x40, 0x80]) if ((flags & announced) !== 0) numbers.next();
  const ids: number[] = [];
  for (let left = (flags & 3) + 1; left > 0 && numbers.at < header.length; left--) {
    ids.push(numbers.next());
    numbers.at += numbers.next();
  }
  return ids;
}

/** Variable-length integers, seven bits a byte, least significant first (section 1.2). */
class Numbers {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; this.at < this.#bytes.length; scale *= 128) {
      const byte = this.#bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  }
}
