// Which part of a file is asked for (RFC 9110 §14): one range, as clients that go on where they broke off ask. Pure.

export interface Range {
  readonly from: number;
  /** The offset after the last byte. */
  readonly to: number;
}

/** `undefined` for the whole; 'none' when the file has nothing of it. What cannot be understood is ignored, as it says there. */
export function rangeIn(header: string | undefined, sizeBytes: number): Range | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const from = Math.max(0, sizeBytes - Number(last));
    return from < sizeBytes ? { from, to: sizeBytes } : 'none';
  }
  const from = Number(first);
  const to = last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1);
  if (from >= sizeBytes) return 'none';
  return to > from ? { from, to } : undefined;
}
