// What a global pax header says of the entries behind it. For POSIX it counts for each that says nothing of its own; for GNU
// tar a second one replaces the first; libarchive heeds none. So what would make an entry another one is refused.

import { malformed, shown } from './bad-archive.ts';
import type { TarHeader } from './tar-header.ts';
import { paxNumber, paxValue, type PaxRecords } from './tar-pax.ts';

const keys = /^(path|linkpath|size|GNU\.sparse\..*|(SCHILY|LIBARCHIVE)\.xattr\.security\.capability)$/;

/** Of the records that were read last, those that would change entries; they count in place of former ones. */
export function withGlobal(former: PaxRecords, read: PaxRecords): PaxRecords {
  const changing = read.filter(([key]) => keys.test(key));
  return [...former.filter(([key]) => !changing.some(([newKey]) => newKey === key)), ...changing];
}

/** An entry that a global header would change, and whose own pax header does not say what it is instead. */
export function checkGlobal(global: PaxRecords, own: PaxRecords, header: TarHeader): void {
  for (const [key] of global) {
    if (own.some(([ownKey]) => ownKey === key) || !changes(global, key, header)) continue;
    malformed(
      `a global pax header says ${shown(key)} of its entry ${shown(header.name.toString())}, which not every program heeds`,
    );
  }
}

function changes(global: PaxRecords, key: string, { name, type, sizeBytes, link }: TarHeader): boolean {
  const value = paxValue(global, key);
  switch (key) {
    case 'path':
      return value?.equals(name) === false;
    case 'linkpath':
      return value !== undefined && (type === '1' || type === '2') && !value.equals(link);
    case 'size':
      return value !== undefined && paxNumber(global, key) !== sizeBytes;
    default:
      return value !== undefined;
  }
}
