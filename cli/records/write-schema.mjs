// Makes schema.json, and the table in README.md, from definitions.ts: `npm run schema`. With --check it changes nothing,
// and ends with status 1 when one of them is not what it should be.

import { readFileSync, writeFileSync } from 'node:fs';
import { toJsonSchema } from '@valibot/to-json-schema';
import { createJiti } from 'jiti';
import { format, resolveConfig } from 'prettier';

const at = (name) => new URL(name, import.meta.url).pathname;
const { lineSchemas, recordsVersion } = await createJiti(import.meta.url, { fsCache: false }).import(
  './definitions.ts',
);

const lines = lineSchemas.map(({ type, what, schema }) => {
  const { $schema, ...own } = toJsonSchema(schema, { target: 'draft-2020-12' });
  return { $schema, type, what, own: { description: what, ...own } };
});
const schema = {
  $schema: lines[0].$schema,
  title: 'A line that cairn writes with --json',
  description: `Version ${recordsVersion}: the field v of every record says it.`,
  oneOf: lines.map(({ type }) => ({ $ref: `#/$defs/${type}` })),
  $defs: Object.fromEntries(lines.map(({ type, own }) => [type, own])),
};
const table = [
  '| type | what it says | fields |',
  '|---|---|---|',
  ...lines.map(({ type, what, own }) => `| \`${type}\` | ${what} | ${fieldsOf(own).join(', ')} |`),
].join('\n');

const options = { ...(await resolveConfig(at('schema.json'))), parser: 'json' };
put('schema.json', await format(JSON.stringify(schema), options));
put('README.md', readFileSync(at('README.md'), 'utf8').replace(/\| type [^]*?\n(?!\|)/, `${table}\n`));

// A field that may be missing has a question mark.
function fieldsOf({ properties, required }) {
  const own = Object.keys(properties).filter((name) => name !== 'v' && name !== 'type');
  return own.map((name) => (required.includes(name) ? name : `${name}?`));
}

function put(name, content) {
  if (!process.argv.includes('--check')) writeFileSync(at(name), content);
  else if (readFileSync(at(name), 'utf8') !== content) {
    console.error(`cli/records/${name} is not what definitions.ts says; run \`npm run schema\``);
    process.exitCode = 1;
  }
}
