// Where a cache's records lie: lines of text, of which any number may be lost, torn or doubled without harm. A hint. Pure.

import { createHash } from 'node:crypto';
import { digestHash, type Digest } from '../base/digest.ts';

/** That a record about a subject is in a pack of records. All are the first 16 hex digits of SHA-256. */
export interface IndexEntry {
  readonly subject: string;
  readonly record: string;
  readonly pack: string;
}

/** Shards by the first hex digit of the subject: asking about however many takes so many requests at most. */
export const shards: readonly string[] = Array.from({ length: 16 }, (_, at) => at.toString(16));

const shortLength = 16;
const linePattern = /^([0-9a-f]{16}) ([0-9a-f]{16}) ([0-9a-f]{16})$/gm;

export function shardOf(subject: string): string {
  return subject[0]!;
}

export function shortSubject(subject: Digest): string {
  return digestHash(subject).slice(0, shortLength);
}

/** The name of bytes, long enough that no two in a cache have the same by chance. */
export function shortName(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, shortLength);
}

/** Lines to be added: an empty one first, so that one that was torn before takes nothing with it. */
export function formatEntries(entries: readonly IndexEntry[]): string {
  return `\n${entries.map(({ subject, record, pack }) => `${subject} ${record} ${pack}\n`).join('')}`;
}

/** All lines that are whole. */
export function parseEntries(text: string): IndexEntry[] {
  return [...text.matchAll(linePattern)].map(([, subject = '', record = '', pack = '']) => ({
    subject,
    record,
    pack,
  }));
}
