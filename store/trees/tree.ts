// Trees: what a node and a directory are, and the one byte form a directory has. Pure: knows no disk and no database.
// The form is the Remote Execution API v2 `Directory` message in its canonical encoding, so a tree's digest is its
// REAPI digest (github.com/bazelbuild/remote-apis, remote_execution.proto, "Directory").

import { digestHash, digestOf, digestSize, parseDigest, type Digest } from '../base/digest.ts';
import { UserError } from '../base/errors.ts';

/** One thing a tree can hold. A node has no name: names belong to the directory that holds it. */
export type Node = TreeNode | BlobNode | SymlinkNode;
export interface TreeNode {
  readonly kind: 'tree';
  readonly digest: Digest;
}
export interface BlobNode {
  readonly kind: 'blob';
  readonly digest: Digest;
  readonly executable: boolean;
}
export interface SymlinkNode {
  readonly kind: 'symlink';
  readonly target: string;
}

/** A directory's entries by name. Iteration order carries no meaning; the encoding sorts. */
export type Directory = ReadonlyMap<string, Node>;

/** The directory without entries, and its digest. */
export const emptyDirectory: Directory = new Map();
export const emptyTree: TreeNode = { kind: 'tree', digest: digestOf(new Uint8Array(0)) };

/**
 * True for a name an entry may have: one to 255 bytes of well-formed Unicode, not `.` or `..`, no `/`, no NUL.
 */
export function isEntryName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    !/[/\0]/.test(name) &&
    name.isWellFormed() &&
    Buffer.byteLength(name) <= 255
  );
}

/**
 * The parts of a relative path inside a tree: `usr/bin/sed` → `['usr', 'bin', 'sed']`; the empty path is the tree
 * itself.
 * @throws UserError `PATH_INVALID` when the path is absolute or a part is not an entry name.
 */
export function parseTreePath(path: string): string[] {
  if (path === '') return [];
  const parts = path.split('/');
  const wrong = parts.find((part) => !isEntryName(part));
  if (wrong === undefined) return parts;
  throw new UserError('PATH_INVALID', `"${path}" is not a path inside a tree`, {
    hint: 'Write it relative, without "." or ".." parts and without a leading or trailing slash, like usr/bin/sed.',
  });
}

/** True when two nodes are the same content. */
export function sameNode(a: Node, b: Node): boolean {
  if (a.kind === 'symlink') return b.kind === 'symlink' && a.target === b.target;
  if (b.kind === 'symlink' || a.kind !== b.kind || a.digest !== b.digest) return false;
  return a.kind === 'tree' || b.kind === 'tree' || a.executable === b.executable;
}

/** The same names, and under each the same. */
export function sameOutputs(a: Readonly<Record<string, Node>>, b: Readonly<Record<string, Node>>): boolean {
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => b[name] !== undefined && sameNode(a[name]!, b[name]))
  );
}

/** The canonical bytes: entries sorted by name in byte order within each of files, directories and symlinks. */
export function encodeDirectory(directory: Directory): Uint8Array {
  const names = sortedNames(directory);
  const message = new MessageWriter(
    names.reduce((sum, name) => sum + largestEntry(name, directory.get(name)!), 0),
  );
  for (const kind of ['blob', 'tree', 'symlink'] as const) {
    for (const name of names) {
      const node = directory.get(name)!;
      if (node.kind === kind) message.entry(name, node);
    }
  }
  return message.bytes();
}

/** The digest a directory has. */
export function directoryDigest(directory: Directory): Digest {
  return digestOf(encodeDirectory(directory));
}

/**
 * Reads a canonical encoding.
 * @throws UserError `STORE_CORRUPT` for anything else: unknown fields, unsorted or repeated names, bad digests.
 */
export function decodeDirectory(bytes: Uint8Array): Directory {
  const reader = new MessageReader(bytes);
  const directory = new Map<string, Node>();
  while (!reader.isAtEnd) {
    const [name, node] = reader.entry();
    if (!isEntryName(name) || directory.has(name)) throw corrupt();
    directory.set(name, node);
  }
  return directory;
}

/** Names in UTF-8 byte order. Every walk that a result depends on uses it. */
export function sortedNames(directory: Directory): string[] {
  return [...directory.keys()].sort(compareNames);
}

/** UTF-8 byte order, which for well-formed strings is code point order. */
export function compareNames(a: string, b: string): number {
  if (isAscii(a) && isAscii(b)) return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function corrupt(): UserError {
  return new UserError('STORE_CORRUPT', 'a directory record is not a canonical Directory message', {
    hint: 'Run `cairn store verify`, then `cairn store repair`.',
    fault: 'environment',
  });
}

// Protocol buffers wire format (protobuf.dev/programming-guides/encoding): a field is its tag, number × 8 + type, as a
// varint; then a varint (type 0), or a length and as many bytes (type 2). Trees have many thousands of directories, so
// both ways are written out for this one message, without intermediate objects.
const fieldOf = { blob: 1, tree: 2, symlink: 3 } as const;
const kindOf = ['blob', 'tree', 'symlink'] as const;
const bytesTag = (field: number): number => field * 8 + 2;
const nameTag = bytesTag(1);
const digestTag = bytesTag(2);
const targetTag = bytesTag(2);
const hashTag = bytesTag(1);
const sizeTag = 2 * 8;
const executableTag = 4 * 8;
const hashBytes = 64;
const largestVarint = 8;

// No more than an entry's message can take, so that one allocation does for a directory.
function largestEntry(name: string, node: Node): number {
  const content = node.kind === 'symlink' ? 3 * node.target.length : hashBytes;
  return 3 * name.length + content + 4 * (1 + largestVarint);
}

class MessageWriter {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#at);
  }

  entry(name: string, node: Node): void {
    const nameBytes = Buffer.byteLength(name);
    this.#varint(bytesTag(fieldOf[node.kind]));
    if (node.kind === 'symlink') {
      const targetBytes = Buffer.byteLength(node.target);
      this.#varint(fieldBytes(nameBytes) + (targetBytes === 0 ? 0 : fieldBytes(targetBytes)));
      this.#text(nameTag, name, nameBytes);
      if (targetBytes > 0) this.#text(targetTag, node.target, targetBytes);
    } else {
      const isExecutable = node.kind === 'blob' && node.executable;
      const size = digestSize(node.digest);
      const digestBytes = fieldBytes(hashBytes) + (size === 0 ? 0 : 1 + varintBytes(size));
      this.#varint(fieldBytes(nameBytes) + fieldBytes(digestBytes) + (isExecutable ? 2 : 0));
      this.#text(nameTag, name, nameBytes);
      this.#varint(digestTag);
      this.#varint(digestBytes);
      this.#text(hashTag, digestHash(node.digest), hashBytes);
      if (size > 0) this.#integer(sizeTag, size);
      if (isExecutable) this.#integer(executableTag, 1);
    }
  }

  #text(tag: number, text: string, bytes: number): void {
    this.#varint(tag);
    this.#varint(bytes);
    this.#buffer.write(text, this.#at);
    this.#at += bytes;
  }

  #integer(tag: number, value: number): void {
    this.#varint(tag);
    this.#varint(value);
  }

  #varint(value: number): void {
    for (; value > 0x7f; value = Math.floor(value / 128)) this.#buffer[this.#at++] = (value % 128) | 0x80;
    this.#buffer[this.#at++] = value;
  }
}

// A field with this many bytes in it.
function fieldBytes(bytes: number): number {
  return 1 + varintBytes(bytes) + bytes;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes++;
  return bytes;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class MessageReader {
  readonly #buffer: Buffer;
  #at = 0;
  /** Of the last entry: its field, and where its name lies. */
  #field = 0;
  #nameStart = 0;
  #nameEnd = 0;

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#buffer.length;
  }

  entry(): [name: string, node: Node] {
    const tag = this.#varint();
    const field = tag >> 3;
    const kind = kindOf[field - 1];
    if (kind === undefined || tag !== bytesTag(field)) throw corrupt();
    const end = this.#end();
    const name = this.#name(field);
    const node: Node = kind === 'symlink' ? this.#symlink(end) : this.#content(kind, end);
    if (this.#at !== end) throw corrupt();
    return [name, node];
  }

  // Names stand in the order of their bytes, each once.
  #name(field: number): string {
    this.#expect(nameTag);
    const end = this.#end();
    const [start, lastStart, lastEnd] = [this.#at, this.#nameStart, this.#nameEnd];
    const isLater =
      field > this.#field ||
      (field === this.#field && this.#buffer.compare(this.#buffer, lastStart, lastEnd, start, end) > 0);
    if (!isLater) throw corrupt();
    [this.#field, this.#nameStart, this.#nameEnd] = [field, start, end];
    return this.#text(end);
  }

  #symlink(end: number): SymlinkNode {
    if (this.#at === end) return { kind: 'symlink', target: '' };
    this.#expect(targetTag);
    const target = this.#text(this.#end());
    return target === '' ? rejected() : { kind: 'symlink', target };
  }

  #content(kind: 'blob' | 'tree', end: number): BlobNode | TreeNode {
    const digest = this.#digest();
    if (kind === 'tree') return { kind, digest };
    const executable = this.#at < end;
    if (executable) {
      this.#expect(executableTag);
      this.#expect(1);
    }
    return { kind, digest, executable };
  }

  #digest(): Digest {
    this.#expect(digestTag);
    const end = this.#end();
    this.#expect(hashTag);
    this.#expect(hashBytes);
    const hash = this.#buffer.toString('latin1', this.#at, this.#at + hashBytes);
    this.#at += hashBytes;
    let size = 0;
    if (this.#at < end) {
      this.#expect(sizeTag);
      size = this.#varint();
      if (size === 0) throw corrupt();
    }
    if (this.#at !== end) throw corrupt();
    return parseDigest(`${hash}/${size}`) ?? rejected();
  }

  #expect(value: number): void {
    if (this.#varint() !== value) throw corrupt();
  }

  // Reads a length; gives where what it measures ends.
  #end(): number {
    const length = this.#varint();
    const end = this.#at + length;
    return end <= this.#buffer.length ? end : rejected();
  }

  #text(end: number): string {
    const bytes = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    try {
      return utf8.decode(bytes);
    } catch {
      throw corrupt();
    }
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; this.#at < this.#buffer.length && scale <= 2 ** 49; scale *= 128) {
      const byte = this.#buffer[this.#at++]!;
      value += (byte & 0x7f) * scale;
      // A last byte of zero would be a longer form of a number that has a shorter one.
      if (byte < 0x80) return byte > 0 || scale === 1 ? value : rejected();
    }
    throw corrupt();
  }
}

function rejected(): never {
  throw corrupt();
}
