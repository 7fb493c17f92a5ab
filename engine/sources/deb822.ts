// Debian control data (deb822(5)): stanzas of fields, as in Packages, Sources, Release and apt's *.sources files.
// Knows the syntax only, nothing of what any field means.

/** One stanza: values by lower-case field name. Continuation lines are joined with a newline, each without its indent. */
export type Stanza = ReadonlyMap<string, string>;

/**
 * The stanzas of a text, in order. With `fields` (lower-case names) only those are kept, which saves most of the time
 * on an archive's index. Lines that are neither a field nor a continuation are passed over.
 */
export function* parseDeb822(text: string, fields?: ReadonlySet<string>): Generator<Stanza> {
  let stanza = new Map<string, string>();
  let last: string | undefined;
  for (const line of lines(text)) {
    if (line.trim() === '') {
      if (stanza.size > 0) yield stanza;
      stanza = new Map();
      last = undefined;
    } else if (line[0] === ' ' || line[0] === '\t') {
      if (last !== undefined) stanza.set(last, `${stanza.get(last) ?? ''}\n${line.trim()}`);
    } else if (line[0] !== '#') {
      last = addField(stanza, line, fields);
    }
  }
  if (stanza.size > 0) yield stanza;
}

/** The words of a value, over all its lines. */
export function wordsOf(value: string | undefined): string[] {
  return value?.split(/\s+/).filter((word) => word !== '') ?? [];
}

function addField(
  stanza: Map<string, string>,
  line: string,
  fields: ReadonlySet<string> | undefined,
): string | undefined {
  const colon = line.indexOf(':');
  if (colon <= 0) return undefined;
  const name = line.slice(0, colon).toLowerCase();
  if (fields !== undefined && !fields.has(name)) return undefined;
  stanza.set(name, line.slice(colon + 1).trim());
  return name;
}

function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf('\n', start);
    yield text.slice(start, end === -1 ? text.length : end);
    if (end === -1) return;
    start = end + 1;
  }
}
