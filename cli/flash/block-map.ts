// Which blocks of a disk hold something: a .bmap file read. Pure; github.com/yoctoproject/bmaptool, formats up to 2.0. It is
// XML, of which what that format has is understood, and nothing else: what is not understood could be a range.

import { createHash, getHashes } from 'node:crypto';
import { UserError } from '../../store/base/errors.ts';

/** A piece of a file. */
export interface Range {
  readonly startByte: number;
  readonly sizeBytes: number;
  /** Of what is there, when it is known beforehand. */
  readonly checksum: Checksum | undefined;
}

export interface Checksum {
  /** As Node calls it: `sha256`. */
  readonly algorithm: string;
  /** In small letters. */
  readonly hex: string;
}

export interface MappedFile {
  /** What the map is called in an error. */
  readonly what: string;
  /** Of the file that it is the map of. */
  readonly sizeBytes: number;
}

/** What a version calls its checksums. */
interface Sums {
  readonly algorithm: string;
  readonly attribute: string;
  readonly element: string;
}

/**
 * The mapped ranges in order.
 * @throws UserError `OUTPUT_INVALID` when it is not a whole block map for a file of `sizeBytes`.
 */
export function parseBlockMap(text: string, { what, sizeBytes }: MappedFile): readonly Range[] {
  const refuse = (why: string): never => {
    throw new UserError('OUTPUT_INVALID', `${what} ${why}`, { hint: 'Build the image again.' });
  };
  const { version, elements } = parseElements(text) ?? refuse('is not a block map');
  const numberIn = (element: string): number => {
    const value = elements.get(element) ?? '';
    return /^\d{1,15}$/.test(value)
      ? Number(value)
      : refuse(`is not a block map: ${element} is not a number`);
  };
  const blockBytes = numberIn('BlockSize');
  if (blockBytes === 0) refuse('is not a block map: BlockSize is 0');
  if (numberIn('ImageSize') !== sizeBytes) refuse('is the map of another file');
  if (numberIn('BlocksCount') !== Math.ceil(sizeBytes / blockBytes))
    refuse('has a BlocksCount that does not fit its ImageSize');
  const sums = sumsOf(version, elements) ?? refuse('has checksums of a kind that is not known');
  if (sums.element !== '' && !isWhole(text, { sums, value: elements.get(sums.element) ?? '' }))
    refuse(`is damaged: its ${sums.element} is not that of the file`);
  const ranges: Range[] = [];
  let [nextBlock, mappedBlocks] = [0, 0];
  for (const { first, last, checksum } of parseRanges(elements.get('BlockMap') ?? '', sums) ??
    refuse('has ranges that cannot be read')) {
    if (first < nextBlock || last < first) refuse('has ranges that are out of order');
    if (last * blockBytes >= sizeBytes) refuse('has ranges that are out of its file');
    const startByte = first * blockBytes;
    ranges.push({ startByte, sizeBytes: Math.min((last + 1) * blockBytes, sizeBytes) - startByte, checksum });
    nextBlock = last + 1;
    mappedBlocks += nextBlock - first;
  }
  if (ranges.length === 0) refuse('maps nothing');
  const count = numberIn('MappedBlocksCount');
  if (count !== mappedBlocks) refuse(`is not whole: it maps ${mappedBlocks} blocks and says ${count}`);
  return ranges;
}

interface Parsed {
  readonly version: readonly [major: number, minor: number];
  /** What is between the tags of each, without the space around it. */
  readonly elements: ReadonlyMap<string, string>;
}

/** Undefined when there is anything but elements with different names in one called bmap. */
function parseElements(text: string): Parsed | undefined {
  const [, major, minor, body] =
    /^\s*(?:<\?xml[^<>]*\?>)?\s*<bmap\s+version\s*=\s*["'](\d+)\.(\d+)["']\s*>(.*)<\/bmap\s*>\s*$/s.exec(
      text.replace(/<!--.*?-->/gs, ''),
    ) ?? [];
  if (body === undefined) return undefined;
  const elements = new Map<string, string>();
  const rest = body.replace(/<(BlockMap)>(.*?)<\/BlockMap>|<(\w+)>([^<>]*)<\/\3>/gs, (whole, ...groups) => {
    const [block, ranges, name = block, value = ranges] = groups as (string | undefined)[];
    if (elements.has(name!)) return whole;
    elements.set(name!, value!.trim());
    return '';
  });
  return rest.trim() === '' ? { version: [Number(major), Number(minor)], elements } : undefined;
}

// The changes from 1.3 to 2.0 are told in bmaptool's BmapCreate.py; 1.4 is what 2.0 was called first, and earlier ones have
// no checksums.
function sumsOf([major, minor]: Parsed['version'], elements: Parsed['elements']): Sums | undefined {
  if (major < 1 || major > 2) return undefined;
  if (major === 1 && minor < 3) return { algorithm: '', attribute: '', element: '' };
  if (major === 1 && minor === 3) return { algorithm: 'sha1', attribute: 'sha1', element: 'BmapFileSHA1' };
  const algorithm = (elements.get('ChecksumType') ?? '').toLowerCase();
  if (!getHashes().includes(algorithm)) return undefined;
  return { algorithm, attribute: 'chksum', element: 'BmapFileChecksum' };
}

/** The checksum of a map is that of the file with zeros in its place. */
function isWhole(text: string, { sums, value }: { readonly sums: Sums; readonly value: string }): boolean {
  if (value === '') return false;
  const blank = text.replace(value, '0'.repeat(value.length));
  return createHash(sums.algorithm).update(blank).digest('hex') === value.toLowerCase();
}

interface Blocks {
  readonly first: number;
  readonly last: number;
  readonly checksum: Checksum | undefined;
}

/** Undefined when there is anything but ranges, or one without the checksum that its version asks for. */
function parseRanges(text: string, { algorithm, attribute }: Sums): readonly Blocks[] | undefined {
  const ranges: Blocks[] = [];
  const hexLength = algorithm === '' ? 0 : createHash(algorithm).digest('hex').length;
  const pattern =
    /<Range(?:\s+(\w+)\s*=\s*["']([0-9A-Fa-f]+)["'])?\s*>\s*(\d{1,15})(?:\s*-\s*(\d{1,15}))?\s*<\/Range\s*>/g;
  const rest = text.replace(pattern, (whole, ...groups) => {
    const [name = '', hex = '', first, last = first] = groups as (string | undefined)[];
    if (name !== attribute || hex.length !== hexLength) return whole;
    const checksum = algorithm === '' ? undefined : { algorithm, hex: hex.toLowerCase() };
    ranges.push({ first: Number(first), last: Number(last), checksum });
    return '';
  });
  return rest.trim() === '' ? ranges : undefined;
}
