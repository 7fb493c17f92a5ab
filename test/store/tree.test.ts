import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestOf, makeDigest } from '../../store/base/digest.ts';
import {
  decodeDirectory,
  directoryDigest,
  emptyTree,
  encodeDirectory,
  isEntryName,
  parseTreePath,
  sameNode,
  sortedNames,
  type Node,
} from '../../store/index.ts';

const ascii = (text: string): string => Buffer.from(text).toString('hex');
const hello = digestOf(Buffer.from('hello'));
const helloHash = createHash('sha256').update('hello').digest('hex');
// Digest: field 1 the hash as text (0a 40 = 64 bytes), field 2 the size (10 05).
const helloDigest = `0a40${ascii(helloHash)}1005`;

function encoded(entries: readonly (readonly [string, Node])[]): string {
  return Buffer.from(encodeDirectory(new Map(entries))).toString('hex');
}

test('the empty directory is no bytes, with the digest every REAPI implementation knows', () => {
  expect(encoded([])).toBe('');
  expect(emptyTree.digest).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855/0');
});

test('a file is a FileNode: name, digest, and its executable bit only when set', () => {
  // Directory field 1 (0a), 73 or 75 bytes: FileNode field 1 name, field 2 digest (68 bytes), field 4 is_executable.
  expect(encoded([['a', { kind: 'blob', digest: hello, executable: false }]])).toBe(
    `0a490a01611244${helloDigest}`,
  );
  expect(encoded([['a', { kind: 'blob', digest: hello, executable: true }]])).toBe(
    `0a4b0a01611244${helloDigest}2001`,
  );
});

test('a subdirectory is a DirectoryNode and a symlink a SymlinkNode', () => {
  expect(encoded([['d', { kind: 'tree', digest: hello }]])).toBe(`12490a01641244${helloDigest}`);
  expect(encoded([['l', { kind: 'symlink', target: '../x' }]])).toBe(`1a090a016c1204${ascii('../x')}`);
});

test('the empty file has no size field, and large sizes are whole varints', () => {
  const empty = digestOf(new Uint8Array(0));
  expect(encoded([['e', { kind: 'blob', digest: empty, executable: false }]])).toBe(
    `0a470a016512420a40${ascii(empty.slice(0, 64))}`,
  );
  const huge = makeDigest(helloHash, 5 * 2 ** 30);
  expect(encoded([['e', { kind: 'blob', digest: huge, executable: false }]])).toBe(
    `0a4d0a016512480a40${ascii(helloHash)}108080808014`,
  );
});

test('files come before directories before symlinks, each sorted by the bytes of their names', () => {
  const file: Node = { kind: 'blob', digest: hello, executable: false };
  const entries: [string, Node][] = [
    ['z', { kind: 'symlink', target: 'a' }],
    ['\u{1f600}', file],
    ['\uff5e', file],
    ['b', { kind: 'tree', digest: hello }],
    ['a', { kind: 'symlink', target: 'b' }],
    ['B', file],
    ['é', file],
  ];
  const bytes = Buffer.from(encodeDirectory(new Map(entries)));
  const reversed = Buffer.from(encodeDirectory(new Map([...entries].reverse())));
  expect(bytes.equals(reversed)).toBe(true);
  expect([...decodeDirectory(bytes).keys()]).toEqual(['B', 'é', '\uff5e', '\u{1f600}', 'b', 'a', 'z']);
  expect(sortedNames(new Map(entries))).toEqual(['B', 'a', 'b', 'z', 'é', '\uff5e', '\u{1f600}']);
  expect(decodeDirectory(bytes)).toEqual(new Map(entries));
  expect(directoryDigest(new Map(entries))).toBe(digestOf(bytes));
});

const fileA = `0a490a01611244${helloDigest}`;
const fileB = `0a490a01621244${helloDigest}`;
test.each([
  ['entries out of order', fileB + fileA],
  ['one name twice', fileA + fileA],
  ['one name as file and symlink', `${fileA}1a060a0161120178`],
  ['an unknown field', `${fileA}220161`],
  ['a size that is written out although 0', `0a490a016512440a40${ascii(helloHash)}1000`],
  ['a name with a slash', `1a080a03612f62120178`],
  ['a name that is ..', `1a070a022e2e120178`],
  ['a name that is not UTF-8', `1a060a01ff120178`],
  ['a digest that is none', `0a090a016112040a026162`],
  ['a message cut short', fileA.slice(0, -2)],
  ['a number that never ends', 'ffffffffffffffffffffff01'],
  ['other bytes', '00'],
])('%s is refused', (_, hex) => {
  expect(() => decodeDirectory(Buffer.from(hex, 'hex'))).toThrow(
    expect.objectContaining({ code: 'STORE_CORRUPT' }),
  );
});

test('names are one to 255 bytes of Unicode, and neither a path nor special', () => {
  for (const name of ['a', '.a', '...', 'a b', '\n', 'ü'.repeat(127)]) expect(isEntryName(name)).toBe(true);
  for (const name of ['', '.', '..', 'a/b', 'a\0b', '\ud800', 'ü'.repeat(128)])
    expect(isEntryName(name)).toBe(false);
});

test('paths inside trees are relative and plain', () => {
  expect(parseTreePath('')).toEqual([]);
  expect(parseTreePath('usr/bin/sed')).toEqual(['usr', 'bin', 'sed']);
  for (const path of ['/usr', 'usr/', 'a//b', 'a/../b', './a'])
    expect(() => parseTreePath(path)).toThrow(expect.objectContaining({ code: 'PATH_INVALID' }));
});

test('nodes are the same when all that counts is', () => {
  const file: Node = { kind: 'blob', digest: hello, executable: false };
  expect(sameNode(file, { ...file })).toBe(true);
  expect(sameNode(file, { ...file, executable: true })).toBe(false);
  expect(sameNode(file, { kind: 'tree', digest: hello })).toBe(false);
  expect(sameNode({ kind: 'symlink', target: 'a' }, { kind: 'symlink', target: 'a' })).toBe(true);
  expect(sameNode({ kind: 'symlink', target: 'a' }, { kind: 'symlink', target: 'b' })).toBe(false);
});
