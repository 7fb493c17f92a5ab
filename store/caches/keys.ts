// Keys that sign what a machine has built: ed25519 (RFC 8032), as text that a person can copy. Knows nothing of files.

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { UserError } from '../base/errors.ts';

/** Whom a record is from. */
export interface PublicKey {
  /** For people; a key is the same under any name. */
  readonly name: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

export interface SigningKey {
  readonly publicKey: PublicKey;
  sign(message: Uint8Array): Uint8Array;
  /** The secret as text, for a file that only its owner may read. */
  secretText(): string;
}

export const signatureBytes = 64;
export const publicKeyBytes = 32;

const seedBytes = 32;
const secretMark = 'cairn-signing-key:';
// RFC 8410: what DER puts before a key's bytes.
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');

export function isKeyName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}

/** A fresh key. @throws UserError `KEY_INVALID` for a name that cannot be one */
export function generateSigningKey(name: string): SigningKey {
  if (!isKeyName(name)) throw invalid(`"${name}" cannot be the name of a key`);
  const { privateKey } = generateKeyPairSync('ed25519');
  return signingKey(name, privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-seedBytes));
}

/** @throws UserError `KEY_INVALID`; what it says has nothing of the secret in it */
export function parseSigningKey(text: string): SigningKey {
  const trimmed = text.trim();
  const [, name = '', encoded = ''] =
    /^([^:]*):(.*)$/s.exec(trimmed.startsWith(secretMark) ? trimmed.slice(secretMark.length) : '') ?? [];
  const seed = bytesOf(encoded, seedBytes);
  if (!isKeyName(name) || seed === undefined) throw invalid('that is no signing key of cairn');
  return signingKey(name, seed);
}

/** `NAME:BASE64`. @throws UserError `KEY_INVALID` */
export function parsePublicKey(text: string): PublicKey {
  const [name = '', encoded = '', more] = text.split(':');
  // Whoever pastes a secret is not shown it again.
  if (text.startsWith(secretMark.slice(0, -1)))
    throw invalid('that is a secret key, where a public one belongs');
  const bytes = bytesOf(encoded, publicKeyBytes);
  if (more !== undefined || !isKeyName(name) || bytes === undefined)
    throw invalid(`"${text}" is no public key: it is written NAME:BASE64`);
  return { name, bytes };
}

export function formatPublicKey({ name, bytes }: PublicKey): string {
  return `${name}:${Buffer.from(bytes).toString('base64')}`;
}

/** True when whoever has the secret of `key` (32 bytes) signed exactly this. */
export function isSignedBy(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    const publicKey = createPublicKey({
      key: Buffer.concat([publicPrefix, key]),
      format: 'der',
      type: 'spki',
    });
    return verify(undefined, message, publicKey, signature);
  } catch {
    return false; // no point of the curve
  }
}

function signingKey(name: string, seed: Uint8Array): SigningKey {
  const key: KeyObject = createPrivateKey({
    key: Buffer.concat([privatePrefix, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: { name, bytes: Uint8Array.from(spki.subarray(-publicKeyBytes)) },
    sign: (message) => sign(undefined, message, key),
    secretText: () => `${secretMark}${name}:${Buffer.from(seed).toString('base64')}`,
  };
}

// One text for one value: base64 that decodes to the same under another spelling is refused.
function bytesOf(encoded: string, length: number): Uint8Array | undefined {
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.byteLength === length && bytes.toString('base64') === encoded
    ? Uint8Array.from(bytes)
    : undefined;
}

function invalid(message: string): UserError {
  return new UserError('KEY_INVALID', message, {
    hint: '`cairn key generate NAME` makes a key, and prints the public part, which others may trust.',
  });
}
