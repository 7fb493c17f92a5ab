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
  const { version, elements, ranges: mapped } = parseElements(text) ?? refuse('is not a block map');
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
  for (const { first, last, checksum } of parseRanges(mapped, sums) ??
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
  readonly ranges: readonly RangeElement[];
}

interface RangeElement {
  readonly attributes: string;
  readonly text: string;
}

/** Undefined when there is anything but elements with different names in one called bmap, and ranges in its BlockMap. */
function parseElements(text: string): Parsed | undefined {
  const open: { readonly name: string; readonly attributes: string; text: string }[] = [];
  const elements = new Map<string, string>();
  const ranges: RangeElement[] = [];
  let version: Parsed['version'] | undefined;
  for (const piece of piecesOf(text)) {
    const inner = open.at(-1);
    if (piece.kind === 'broken') return undefined;
    if (piece.kind === 'text') {
      if (inner !== undefined) inner.text += piece.text;
      else if (piece.text.trim() !== '') return undefined;
    } else if (piece.kind === 'close') {
      if (inner === undefined || inner.name !== piece.name) return undefined;
      open.pop();
      if (open.length === 2) ranges.push(inner);
      else if (open.length === 1 && elements.has(inner.name)) return undefined;
      else if (open.length === 1) elements.set(inner.name, inner.text.trim());
      else if (inner.text.trim() !== '') return undefined;
    } else if (open.length === 0) {
      const [, major, minor] = /^\s+version\s*=\s*["'](\d{1,3})\.(\d{1,3})["']$/.exec(piece.attributes) ?? [];
      if (version !== undefined || piece.name !== 'bmap' || major === undefined) return undefined;
      version = [Number(major), Number(minor)];
      open.push({ ...piece, text: '' });
    } else {
      const isKnown =
        open.length === 1 ? piece.attributes === '' : inner!.name === 'BlockMap' && piece.name === 'Range';
      if (!isKnown || open.length > 2) return undefined;
      open.push({ ...piece, text: '' });
    }
  }
  const isWhole = open.length === 0 && (elements.get('BlockMap') ?? '') === '';
  return version !== undefined && isWhole ? { version, elements, ranges } : undefined;
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'open'; readonly name: string; readonly attributes: string }
  | { readonly kind: 'close'; readonly name: string }
  | { readonly kind: 'broken' };

/** Longer than any tag of a map. */
const longestTag = 1000;

// Each character is looked at a few times, whatever the text: a map may come from anywhere. Comments, and what XML says of
// itself at the beginning, are passed over.
function* piecesOf(text: string): Generator<Piece> {
  for (let at = /^\s*<\?xml[^<>]{0,200}\?>/.exec(text)?.[0].length ?? 0; at < text.length;) {
    const isComment = text.startsWith('<!--', at);
    const isTag = !isComment && text[at] === '<';
    const end = text.indexOf(isComment ? '-->' : isTag ? '>' : '<', isComment ? at + 4 : at + 1);
    if ((end < 0 && text[at] === '<') || (isTag && end - at > longestTag)) {
      yield { kind: 'broken' };
      return;
    }
    if (isTag) yield tagOf(text.slice(at + 1, end));
    else if (!isComment) yield { kind: 'text', text: text.slice(at, end < 0 ? undefined : end) };
    at = isComment ? end + 3 : isTag ? end + 1 : end < 0 ? text.length : end;
  }
}

function tagOf(text: string): Piece {
  const [, slash, name, attributes] = /^(\/?)(\w+)(|\s[^<]*)$/.exec(text.trimEnd()) ?? [];
  if (name === undefined || (slash !== '' && attributes !== '')) return { kind: 'broken' };
  return slash === '' ? { kind: 'open', name, attributes: attributes! } : { kind: 'close', name };
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

/** Undefined when one cannot be read, or is without the checksum that its version asks for. */
function parseRanges(
  ranges: readonly RangeElement[],
  { algorithm, attribute }: Sums,
): readonly Blocks[] | undefined {
  const hexLength = algorithm === '' ? 0 : createHash(algorithm).digest('hex').length;
  const blocks: Blocks[] = [];
  for (const { attributes, text } of ranges) {
    const [, name = '', hex = ''] = /^\s+(\w+)\s*=\s*["']([0-9A-Fa-f]+)["']$/.exec(attributes) ?? [];
    const [, first, last = first] = /^(\d{1,15})(?:\s*-\s*(\d{1,15}))?$/.exec(text.trim()) ?? [];
    if (first === undefined || name !== attribute || hex.length !== hexLength) return undefined;
    if (attributes !== '' && name === '') return undefined;
    const checksum = algorithm === '' ? undefined : { algorithm, hex: hex.toLowerCase() };
    blocks.push({ first: Number(first), last: Number(last), checksum });
  }
  return blocks;
}
