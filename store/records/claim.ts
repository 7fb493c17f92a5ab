// The one byte form of a claim: what would be signed, and travels from machine to machine. Canonical CBOR, read strictly,
// since it may come from anywhere. Pure: knows no database, no key and no place.

import { decodeCbor, encodeCbor, type CborValue } from '../base/cbor.ts';
import { parseDigest, type Digest } from '../base/digest.ts';
import { mapByName } from '../base/map-by-name.ts';
import type { Claim } from '../store.ts';
import { isEntryName, type Node } from '../trees/tree.ts';

/** Raised when the meaning of a field changes, or another is needed to understand a claim. */
export const claimFormat = 1;

/** The canonical bytes. */
export function encodeClaim({ format, action, outputs, revision }: Claim): Uint8Array {
  return encodeCbor({ format, action, outputs: nodeRecords(outputs), revision });
}

/** The claim that {@link encodeClaim} wrote; undefined for any other bytes, and for a format that is not known here. */
export function decodeClaim(bytes: Uint8Array): Claim | undefined {
  const record = membersOf(decoded(bytes), ['format', 'action', 'outputs', 'revision']);
  if (record?.['format'] !== claimFormat) return undefined;
  const action = digestIn(record['action']);
  const outputs = outputsIn(record['outputs']);
  const revision = record['revision'];
  if (action === undefined || outputs === undefined) return undefined;
  if (typeof revision !== 'number' || revision < 1) return undefined;
  return { format: claimFormat, action, outputs, revision };
}

/** Nodes by name as records have them. */
export function nodeRecords(nodes: Readonly<Record<string, Node>>): CborValue {
  return mapByName(Object.entries(nodes).map(([name, node]) => [name, { ...node }]));
}

type Members = Readonly<Record<string, CborValue | undefined>>;

function decoded(bytes: Uint8Array): CborValue | undefined {
  try {
    return decodeCbor(bytes);
  } catch {
    return undefined; // not CBOR, or not in its canonical form
  }
}

// The members of a map that has these and no others.
function membersOf(value: CborValue | undefined, names: readonly string[]): Members | undefined {
  const members = mapIn(value);
  if (members === undefined || Object.keys(members).length !== names.length) return undefined;
  return names.every((name) => Object.hasOwn(members, name)) ? members : undefined;
}

function mapIn(value: CborValue | undefined): Members | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return value instanceof Uint8Array ? undefined : (value as Members);
}

function outputsIn(value: CborValue | undefined): Claim['outputs'] | undefined {
  const outputs = mapByName<Node>();
  for (const [name, record] of Object.entries(mapIn(value) ?? {})) {
    const node = nodeIn(record);
    if (node === undefined || !isEntryName(name)) return undefined;
    outputs[name] = node;
  }
  return Object.keys(outputs).length === 0 ? undefined : outputs;
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

function digestIn(value: CborValue | undefined): Digest | undefined {
  return typeof value === 'string' ? parseDigest(value) : undefined;
}
