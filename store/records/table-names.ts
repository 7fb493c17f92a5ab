// The names of all tables. Closed, so that all tables of a database can be opened before the first of its commits is under way.

/** Tables of the database that is flushed. */
export const durableTables = [
  'realisations',
  'memos',
  'lineages',
  'descriptions',
  'durations',
  'last-uses',
  'roots',
  'cached',
  'signed',
  'directories',
  'left',
  'state',
  'settled',
] as const;

/** Tables of the database that is not. */
export const volatileTables = ['locks', 'uses', 'commits', 'committed'] as const;

export type DurableTable = (typeof durableTables)[number];

export type TableName = DurableTable | (typeof volatileTables)[number];

export function isDurableTable(name: string): name is DurableTable {
  return (durableTables as readonly string[]).includes(name);
}
