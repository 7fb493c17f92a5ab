// A claim, a memo or an edition with the signature of who made it, in the byte form in which it lies in caches. Decoding believes nothing:
// whether the signature is right is asked by `isGenuine`, and whose it is decides `trust.ts`. Pure.

import { encodeCbor } from '../base/cbor.ts';
import type { Digest } from '../base/digest.ts';
import { decodeClaim, encodeClaim } from '../records/claim.ts';
import { bytesIn, membersOf, valueIn } from '../records/read-strictly.ts';
import { decodeMemo, encodeMemo } from '../records/travelling-memo.ts';
import { decodeEdition, editionSubject, encodeEdition } from '../records/travelling-edition.ts';
import type { Claim, Edition, Memo } from '../store.ts';
import type { Node } from '../trees/tree.ts';
import { isSignedBy, publicKeyBytes, signatureBytes, type SigningKey } from './keys.ts';

/** What somebody says of an action, of a derivation, or of a name. */
export type Statement =
  | { readonly kind: 'claim'; readonly claim: Claim }
  /** `reliesOnOthers`: whoever signs it has taken something of what the derivation is made from, instead of making all of it. */
  | { readonly kind: 'memo'; readonly memo: Memo; readonly reliesOnOthers?: true }
  | { readonly kind: 'edition'; readonly edition: Edition };

export interface SignedRecord {
  readonly statement: Statement;
  /** The statement's own bytes: equal for all who say the same. */
  readonly body: Uint8Array;
  /** The public key, 32 bytes. */
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

/** Raised when the meaning of a field changes. */
export const signedRecordFormat = 1;

/** The record's bytes. Whoever signs says that this was made here, and copied from nobody. */
export function signRecord(statement: Statement, key: SigningKey): Uint8Array {
  const body = bodyOf(statement);
  const signature = key.sign(signedMessage(statement, body));
  return encodeSignedRecord({ statement, body, key: key.publicKey.bytes, signature });
}

export function encodeSignedRecord({ statement, body, key, signature }: SignedRecord): Uint8Array {
  return encodeCbor({ format: signedRecordFormat, kind: kindOf(statement), body, key, signature });
}

/** The record, not verified; undefined for any other bytes, and for a format that is not known here. */
export function decodeSignedRecord(bytes: Uint8Array): SignedRecord | undefined {
  const record = membersOf(valueIn(bytes), ['format', 'kind', 'body', 'key', 'signature']);
  if (record?.['format'] !== signedRecordFormat) return undefined;
  const body = bytesIn(record['body']);
  const key = bytesIn(record['key'], publicKeyBytes);
  const signature = bytesIn(record['signature'], signatureBytes);
  if (body === undefined || key === undefined || signature === undefined) return undefined;
  const statement = statementIn(record['kind'], body);
  return statement && { statement, body, key, signature };
}

/** True when the holder of the record's key signed it. */
export function isGenuine({ statement, body, key, signature }: SignedRecord): boolean {
  return isSignedBy(key, signedMessage(statement, body), signature);
}

/** What a statement is about. */
export function subjectOf(statement: Statement): Digest {
  switch (statement.kind) {
    case 'claim':
      return statement.claim.action;
    case 'memo':
      return statement.memo.derivation;
    case 'edition':
      return editionSubject(statement.edition.name);
  }
}

/** What must be there where a statement is kept. */
export function promisedBy(statement: Statement): Readonly<Record<string, Node>> {
  switch (statement.kind) {
    case 'claim':
      return statement.claim.outputs;
    case 'memo':
      return statement.memo.outputs;
    case 'edition':
      return { descriptions: { kind: 'tree', digest: statement.edition.descriptions } };
  }
}

function bodyOf(statement: Statement): Uint8Array {
  switch (statement.kind) {
    case 'claim':
      return encodeClaim(statement.claim);
    case 'memo':
      return encodeMemo(statement.memo);
    case 'edition':
      return encodeEdition(statement.edition);
  }
}

function statementIn(kind: unknown, body: Uint8Array): Statement | undefined {
  if (kind === 'claim') {
    const claim = decodeClaim(body);
    return claim && { kind, claim };
  }
  if (kind === 'edition') {
    const edition = decodeEdition(body);
    return edition && { kind, edition };
  }
  if (kind !== 'memo' && kind !== relyingMemo) return undefined;
  const memo = decodeMemo(body);
  return memo && { kind: 'memo', memo, ...(kind === relyingMemo && { reliesOnOthers: true }) };
}

// Whoever knows no memos but those that rely on nobody must not take it for one.
const relyingMemo = 'relying memo';

function kindOf(statement: Statement): string {
  return statement.kind === 'memo' && statement.reliesOnOthers === true ? relyingMemo : statement.kind;
}

// A signature under one kind of statement is none under another, nor under anything else that the key ever signs.
function signedMessage(statement: Statement, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`cairn ${kindOf(statement)} ${signedRecordFormat}\n`), body]);
}
