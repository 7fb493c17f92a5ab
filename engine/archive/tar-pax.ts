// The records of a pax extended header, each `LENGTH KEY=VALUE\n` (POSIX pax, "pax Extended Header").

import { malformed } from './bad-archive.ts';

/** Later ones count more. A key may come several times: GNU tar's first form of sparse files is written so. */
export type PaxRecords = readonly (readonly [key: string, value: Buffer])[];

export function parsePax(data: Buffer): PaxRecords {
  const records: [string, Buffer][] = [];
  for (let at = 0; at < data.length && data[at] !== 0;) {
    const space = data.indexOf(' ', at);
    const digits = space < 0 ? '' : data.toString('latin1', at, space);
    const end = at + Number(digits);
    const equals = data.indexOf('=', space);
    const isSound = /^[1-9]\d{0,9}$/.test(digits) && equals > space && equals < end && data[end - 1] === 0x0a;
    if (!isSound) malformed('its tar data has a damaged pax header');
    records.push([data.toString('utf8', space + 1, equals), data.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** Records as bytes, each of which counts its own length. */
export function formatPax(records: Readonly<Record<string, string>>): Buffer[] {
  return Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (String(length).length + rest.length > length) length += 1;
    return Buffer.from(`${length}${rest}`);
  });
}

/** What a key says; an empty value takes back what was said before. */
export function paxValue(records: PaxRecords, key: string): Buffer | undefined {
  const value = records.findLast(([recordKey]) => recordKey === key)?.[1];
  return value === undefined || value.length === 0 ? undefined : value;
}

/** A decimal number; undefined where there is none. */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const text = paxValue(records, key)?.toString('latin1');
  return text === undefined ? undefined : decimal(text);
}

function decimal(text: string): number {
  if (!/^\d{1,15}$/.test(text)) malformed('its tar data has a damaged pax header');
  return Number(text);
}
