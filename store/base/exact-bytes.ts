// The one wording of an exact number of bytes: what differs by one of them must not look alike. Pure.

/** `1 byte`, `2 bytes`, `65536 bytes`. */
export function exactBytes(count: number | bigint): string {
  return `${count} ${Number(count) === 1 ? 'byte' : 'bytes'}`;
}
