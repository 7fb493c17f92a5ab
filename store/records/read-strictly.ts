// Members of records that may come from anywhere: each is what it should be, or undefined. Pure.

import { decodeCbor, type CborValue } from '../base/cbor.ts';
import { parseDigest, type Digest } from '../base/digest.ts';
import { mapByName } from '../base/map-by-name.ts';
import { isEntryName, type Node } from '../trees/tree.ts';

export type Members = Readonly<Record<string, CborValue | undefined>>;

/** The value of canonical CBOR. */
export function valueIn(bytes: Uint8Array): CborValue | undefined {
  try {
    return decodeCbor(bytes);
  } catch {
    return undefined; // not CBOR, or not in its canonical form
  }
}

/** The members of a map that has these and no others. */
export function membersOf(value: CborValue | undefined, names: readonly string[]): Members | undefined {
  const members = mapIn(value);
  if (members === undefined || Object.keys(members).length !== names.length) return undefined;
  return names.every((name) => Object.hasOwn(members, name)) ? members : undefined;
}

/** Nodes by the names of outputs, at least one. */
export function outputsIn(value: CborValue | undefined): Readonly<Record<string, Node>> | undefined {
  const outputs = mapByName<Node>();
  for (const [name, record] of Object.entries(mapIn(value) ?? {})) {
    const node = nodeIn(record);
    if (node === undefined || !isEntryName(name)) return undefined;
    outputs[name] = node;
  }
  return Object.keys(outputs).length === 0 ? undefined : outputs;
}

export function digestIn(value: CborValue | undefined): Digest | undefined {
  return typeof value === 'string' ? parseDigest(value) : undefined;
}

/** A byte string, of that length where one is given. */
export function bytesIn(value: CborValue | undefined, length?: number): Uint8Array | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  return length === undefined || value.byteLength === length ? value : undefined;
}

function mapIn(value: CborValue | undefined): Members | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value instanceof Uint8Array ? undefined : (value as Members);
}

function nodeIn(value: CborValue | undefined): Node | undefined {
  const tree = membersOf(value, ['kind', 'digest']);
  if (tree?.['kind'] === 'tree') {
    const digest = digestIn(tree['digest']);
    return digest && { kind: 'tree', digest };
  }
  const blob = membersOf(value, ['kind', 'digest', 'executable']);
  if (blob?.['kind'] === 'blob') {
    const [digest, executable] = [digestIn(blob['digest']), blob['executable']];
    return digest && typeof executable === 'boolean' ? { kind: 'blob', digest, executable } : undefined;
  }
  const link = membersOf(value, ['kind', 'target']);
  if (link?.['kind'] !== 'symlink' || typeof link['target'] !== 'string') return undefined;
  return { kind: 'symlink', target: link['target'] };
}
