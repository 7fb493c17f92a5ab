// Canonical CBOR (RFC 8949 §4.2.1) over a small value domain; the only importer of cbor-x.
// cbor-x keeps insertion order and writes large integers as floats, so the domain is narrowed before it sees a value.

import { isUint8Array } from 'node:util/types';
import { Encoder } from 'cbor-x';
import { UserError, bug } from './errors.ts';
import { mapByName } from './map-by-name.ts';

/** What our records are made of. Integers are safe integers; there are no floats, no dates, no undefined. */
export type CborValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly CborValue[]
  | { readonly [key: string]: CborValue | undefined };

const options = {
  useRecords: false,
  tagUint8Array: false,
  variableMapSize: true,
  // Neither is in the package's types.
  ...{ useTag259ForMaps: false, int64AsNumber: true },
};
const codec = new Encoder({ ...options, mapsAsObjects: true });
/** For records with a key that cbor-x does not give as it is: it renames `__proto__`. */
const mapCodec = new Encoder({ ...options, mapsAsObjects: false });
const renamedKey = Buffer.from('__proto__');

/** The canonical encoding: the same bytes for equal values, whatever the property order. Undefined members are left out. */
export function encodeCbor(value: CborValue): Uint8Array {
  const bytes = codec.encode(canonical(value));
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Decodes what {@link encodeCbor} wrote. Anything else, including a non-canonical encoding, is refused. */
export function decodeCbor(bytes: Uint8Array): CborValue {
  let value: CborValue;
  try {
    value = plain(decode(bytes));
    if (Buffer.compare(encodeCbor(value), bytes) !== 0) throw new Error('not in canonical form');
  } catch (cause) {
    throw notCanonical(cause);
  }
  return value;
}

/**
 * Decodes bytes that only {@link encodeCbor} can have written, such as those of our own database, in a third of the time:
 * their form is not checked again. Byte strings in the result are views into `bytes`.
 * @throws UserError `STORE_CORRUPT` when they are not CBOR at all.
 */
export function readCbor(bytes: Uint8Array): CborValue {
  try {
    // Whether the database gives Buffers or plain arrays depends on the Node.js; cbor-x cuts what it is given.
    return decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as CborValue;
  } catch (cause) {
    throw notCanonical(cause);
  }
}

function notCanonical(cause: unknown): UserError {
  return new UserError('STORE_CORRUPT', 'a record is not canonical CBOR', {
    hint: 'Run `cairn store verify` to see what else is damaged, then `cairn store repair`.',
    fault: 'environment',
    cause,
  });
}

function decode(bytes: Uint8Array): unknown {
  const hasRenamedKey = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(renamedKey);
  return hasRenamedKey ? withObjects(mapCodec.decode(bytes)) : codec.decode(bytes);
}

function withObjects(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withObjects);
  if (!(value instanceof Map)) return value;
  return mapByName([...value].map(([key, member]) => [textKey(key), withObjects(member)]));
}

function textKey(key: unknown): string {
  if (typeof key !== 'string') throw new Error('a key is not text');
  return key;
}

// cbor-x gives byte strings as views into its input.
function plain(value: unknown): CborValue {
  if (typeof value !== 'object' || value === null) return value as CborValue;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  return mapByName(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}

function canonical(value: CborValue): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return canonicalInteger(value);
  if (typeof value !== 'object') bug(`a ${typeof value} cannot be encoded`);
  if (Array.isArray(value)) return canonicalArray(value);
  if (isUint8Array(value))
    return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return canonicalMap(value as ValueMap);
}

function wellFormed(text: string): string {
  if (!text.isWellFormed()) bug(`a string with a lone surrogate cannot be encoded: ${JSON.stringify(text)}`);
  return text;
}

// cbor-x writes integers of 2^32 and more as floats unless they are bigints.
function canonicalInteger(value: number): number | bigint {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) bug(`${value} is not a safe integer`);
  return value > 0xffff_ffff || value < -0x1_0000_0000 ? BigInt(value) : value;
}

// Values may come from another realm (an evaluated config); cbor-x is given this one's arrays and objects only.
function canonicalArray(items: readonly CborValue[]): unknown[] {
  const result: unknown[] = [];
  for (const item of items) result.push(canonical(item));
  return result;
}

function canonicalMap(map: ValueMap): unknown {
  const keys = Object.keys(map);
  return keys.every(isOrdinary) ? ordinaryMap(map, keys) : anyMap(map, keys);
}

type ValueMap = { readonly [key: string]: CborValue | undefined };

// Ordinary keys are ASCII and mean nothing to JavaScript or cbor-x, so a plain object can hold them in order. Nearly
// all keys are field names that come again and again.
const knownOrdinary = new Set<string>();
const ordinaryPattern = /^(?![0-9]|__proto__$|constructor$|toJSON$)[\x20-\x7e]*$/;

function isOrdinary(key: string): boolean {
  if (knownOrdinary.has(key)) return true;
  if (!ordinaryPattern.test(key)) return false;
  if (knownOrdinary.size < 1000) knownOrdinary.add(key);
  return true;
}

function ordinaryMap(map: ValueMap, keys: string[]): object {
  keys.sort(byLengthThenOrder);
  const sorted: Record<string, unknown> = {};
  for (const key of keys) {
    const member = map[key];
    if (member !== undefined) sorted[key] = canonical(member);
  }
  return sorted;
}

function byLengthThenOrder(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

function anyMap(map: ValueMap, keys: string[]): Map<unknown, unknown> {
  const sorted = new Map<unknown, unknown>();
  for (const key of keys.sort(byEncodedKey)) {
    const member = map[key];
    if (member !== undefined) sorted.set(wellFormed(key), canonical(member));
  }
  return sorted;
}

// RFC 8949 §4.2.1 orders keys by their encoded bytes: for text that is by UTF-8 length first, then bytewise.
function byEncodedKey(a: string, b: string): number {
  return Buffer.byteLength(a) - Buffer.byteLength(b) || Buffer.compare(Buffer.from(a), Buffer.from(b));
}
