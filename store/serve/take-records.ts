// Records that are sent to be kept: strictly decoded, genuinely signed, by a key that is trusted where some are named, and about
// outputs of which all is here. Otherwise none of them is taken.

import type { PublicKey } from '../caches/keys.ts';
import { shortName } from '../caches/record-index.ts';
import { packedRecords, recordPackBytes } from '../caches/record-pack.ts';
import { decodeSignedRecord, isGenuine, promisedBy, type SignedRecord } from '../caches/signed-record.ts';
import type { Node } from '../trees/tree.ts';
import type { Holds } from './holds.ts';
import type { Gathered, Intake } from './intake.ts';
import { Refusal } from './refusal.ts';
import { sentPieces } from './sent-pieces.ts';

/** Of all that are sent at once. */
export const mostRecordBytes = 16 * 1024 * 1024;

export interface RecordRules {
  readonly holds: Holds;
  /** Whose records are taken; anybody's when there are none. */
  readonly keys: readonly PublicKey[];
}

/** @throws Refusal for a pack that is not to be kept */
export async function checkRecordPack(
  name: string,
  sent: Gathered,
  { intake, ...rules }: RecordRules & { readonly intake: Intake },
): Promise<void> {
  await checkName(name, sent);
  await using content = await intake.gather(sentPieces(sent.chunks(), intake), recordPackBytes);
  using held = await content.open(content.sizeBytes);
  let records: readonly Uint8Array[];
  try {
    records = packedRecords(held.bytes);
  } catch (error) {
    throw new Refusal(422, (error as Error).message);
  }
  for (const record of records) checkRecord(record, rules);
}

async function checkName(name: string, sent: Gathered): Promise<void> {
  using held = await sent.open();
  if (shortName(held.bytes) !== name) throw new Refusal(422, 'the pack is not what its name says');
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
