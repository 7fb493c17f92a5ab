// Signed text that other tools understand: DSSE, with a signature over what is said and what kind of thing it is
// (github.com/secure-systems-lab/dsse, protocol.md). Pure.

import { formatPublicKey, type SigningKey } from '../../store/index.ts';

export interface Envelope {
  readonly payloadType: string;
  /** Base64. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

export function sealed(payloadType: string, payload: Uint8Array, key: SigningKey): Envelope {
  const signature = key.sign(preAuthenticationEncoding(payloadType, payload));
  return {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: formatPublicKey(key.publicKey), sig: Buffer.from(signature).toString('base64') }],
  };
}

function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = Buffer.from(payloadType);
  const head = `DSSEv1 ${type.byteLength} ${payloadType} ${payload.byteLength} `;
  return Buffer.concat([Buffer.from(head), payload]);
}
