// A device's number as a text. Pure.

/** As in /sys/dev/block: makedev(3). */
export function deviceNumber(bits: bigint): string {
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & ~0xfffn);
  const minor = (bits & 0xffn) | ((bits >> 12n) & ~0xffn);
  return `${major}:${minor}`;
}
