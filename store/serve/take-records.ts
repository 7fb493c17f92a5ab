// Records that are sent to be kept: strictly decoded, genuinely signed, by a key that is trusted where some are named, and about
// outputs of which all is here. Otherwise none of them is taken.

import { joined } from '../caches/pieces.ts';
import type { PublicKey } from '../caches/keys.ts';
import { shortName } from '../caches/record-index.ts';
import { decodeRecordPack } from '../caches/record-pack.ts';
import { decodeSignedRecord, isGenuine, promisedBy, type SignedRecord } from '../caches/signed-record.ts';
import type { Node } from '../trees/tree.ts';
import type { Holds } from './holds.ts';
import { Refusal } from './refusal.ts';

const mostBytes = 16 * 1024 * 1024;

export interface RecordRules {
  readonly holds: Holds;
  /** Whose records are taken; anybody's when there are none. */
  readonly keys: readonly PublicKey[];
}

/** The pack's bytes, looked at. @throws Refusal */
export async function checkedRecordPack(
  name: string,
  body: AsyncIterable<Uint8Array>,
  rules: RecordRules,
): Promise<Uint8Array> {
  const bytes = await joined(body, mostBytes).catch((error: unknown) => {
    throw error instanceof Refusal ? error : new Refusal(413, 'so many records at once are not taken');
  });
  if (shortName(bytes) !== name) throw new Refusal(422, 'the pack is not what its name says');
  let records: readonly Uint8Array[];
  try {
    records = await decodeRecordPack(chunk(bytes));
  } catch (error) {
    throw new Refusal(422, (error as Error).message);
  }
  for (const record of records) checkRecord(record, rules);
  return bytes;
}

/** @throws Refusal */
export function checkRecord(bytes: Uint8Array, rules: RecordRules): SignedRecord {
  const record = checkSignature(bytes, rules);
  if (!outputsOf(record).every((node) => rules.holds.isHeld(node)))
    throw new Refusal(422, 'a record promises what is not here');
  return record;
}

/** All but whether what it promises is here. @throws Refusal */
export function checkSignature(bytes: Uint8Array, { keys }: Pick<RecordRules, 'keys'>): SignedRecord {
  const record = decodeSignedRecord(bytes);
  if (record === undefined) throw new Refusal(422, 'that is no signed record');
  if (!isGenuine(record)) throw new Refusal(422, 'the signature of a record is forged, or of something else');
  const isTrusted = keys.length === 0 || keys.some((key) => Buffer.compare(key.bytes, record.key) === 0);
  if (!isTrusted) throw new Refusal(403, 'records of this key are not taken here');
  return record;
}

export function outputsOf({ statement }: SignedRecord): readonly Node[] {
  return Object.values(promisedBy(statement));
}

// eslint-disable-next-line @typescript-eslint/require-await -- what is at hand, as what is not
async function* chunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
