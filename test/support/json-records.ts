// What a command wrote with --json, each line compared with the schema that the package ships.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { packageRoot } from '../../store/base/package-root.ts';

export type ParsedRecord = Readonly<Record<string, unknown>>;

const path = join(packageRoot, 'cli/records/schema.json');
export const schema = JSON.parse(readFileSync(path, 'utf8')) as {
  readonly $defs: Readonly<Record<string, object>>;
};
const ajv = new Ajv2020({ allErrors: true }).addSchema(schema, 'lines');

/** Each line as a record. @throws when one is not what the schema says of records of its type. */
export function parseRecords(text: string): ParsedRecord[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const record = JSON.parse(line) as ParsedRecord;
      const problem = problemOf(record);
      if (problem !== undefined) throw new Error(`${problem}: ${line}`);
      return record;
    });
}

/** What the schema has against it; undefined for a record as it should be. */
export function problemOf(record: ParsedRecord): string | undefined {
  const type = String(record['type']);
  const isAsItShouldBe = ajv.getSchema(`lines#/$defs/${type}`);
  if (isAsItShouldBe === undefined) return `the schema has no type "${type}"`;
  return isAsItShouldBe(record) === true ? undefined : ajv.errorsText(isAsItShouldBe.errors);
}
