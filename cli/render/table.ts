// Columns of text. Pure. Only the last column may have characters that are not one cell wide: it is not padded.

export type Align = 'left' | 'right';

/** Rows with their cells padded to common widths, two blanks between columns, nothing trailing. */
export function tableLines(rows: readonly (readonly string[])[], aligns: readonly Align[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => padded(cell, { at, row, width: widths[at]!, align: aligns[at] ?? 'left' }))
      .join('  ');
  return rows.map((row) => line(row).trimEnd());
}

function padded(
  cell: string,
  { at, row, width, align }: { at: number; row: readonly string[]; width: number; align: Align },
): string {
  if (align === 'right') return cell.padStart(width);
  return at === row.length - 1 ? cell : cell.padEnd(width);
}
