// One pattern with wildcards, as git matches it: `*` and `?` within a name, `**` across them, sets in brackets. Works on
// bytes, each a character below 256, because git does: `?` is half of an `é`.

/** True when the whole of a text matches. */
export type Matcher = (text: string) => boolean;

type Token =
  | { readonly kind: 'byte'; readonly byte: string }
  | { readonly kind: 'one of'; readonly has: (byte: string) => boolean }
  /** Any bytes but slashes. */
  | { readonly kind: 'within a name' }
  | { readonly kind: 'anything' }
  /** Nothing, or names each with a slash behind it. */
  | { readonly kind: 'directories' };

/** A pattern that is malformed matches nothing, and is no error. */
export function compileWildcards(pattern: string): Matcher {
  const tokens = parse(pattern);
  return tokens === undefined ? () => false : (text) => matches(tokens, text);
}

// Follows all ways at once, so that no pattern takes longer than its length times the text's.
function matches(tokens: readonly Token[], text: string): boolean {
  let reached = new Set([0]);
  for (const token of tokens) {
    const next = new Set<number>();
    for (const at of reached) for (const end of endsOf(token, text, at)) next.add(end);
    if (next.size === 0) return false;
    reached = next;
  }
  return reached.has(text.length);
}

function* endsOf(token: Token, text: string, at: number): Generator<number> {
  switch (token.kind) {
    case 'byte':
      if (text[at] === token.byte) yield at + 1;
      return;
    case 'one of':
      if (at < text.length && text[at] !== '/' && token.has(text[at]!)) yield at + 1;
      return;
    case 'within a name':
      yield at;
      for (let end = at; end < text.length && text[end] !== '/'; end++) yield end + 1;
      return;
    case 'anything':
      for (let end = at; end <= text.length; end++) yield end;
      return;
    case 'directories':
      yield at;
      for (let end = at; end < text.length; end++) if (text[end] === '/') yield end + 1;
  }
}

// Undefined when the pattern is malformed.
function parse(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const byte = pattern[at]!;
    if (byte === '*') {
      const { token, end } = stars(pattern, at);
      tokens.push(token);
      at = end;
    } else if (byte === '[') {
      const set = parseSet(pattern, at + 1);
      if (set === undefined) return undefined;
      tokens.push({ kind: 'one of', has: set.has });
      at = set.end;
    } else if (byte === '\\') {
      if (at + 1 === pattern.length) return undefined;
      tokens.push({ kind: 'byte', byte: pattern[at + 1]! });
      at += 2;
    } else {
      tokens.push(byte === '?' ? { kind: 'one of', has: () => true } : { kind: 'byte', byte });
      at++;
    }
  }
  return tokens;
}

// Two stars or more are more than one only where they stand for whole names.
function stars(pattern: string, start: number): { readonly token: Token; readonly end: number } {
  let end = start;
  while (pattern[end] === '*') end++;
  const isWhole =
    end - start > 1 &&
    (start === 0 || pattern[start - 1] === '/') &&
    (end === pattern.length || /^\\?\//.test(pattern.slice(end, end + 2)));
  if (!isWhole) return { token: { kind: 'within a name' }, end };
  if (pattern[end] === '/') return { token: { kind: 'directories' }, end: end + 1 };
  return { token: { kind: 'anything' }, end };
}

const classes: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,

  cntrl: /[\0-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

interface ParsedSet {
  readonly has: (byte: string) => boolean;
  readonly end: number;
}

// A set's text starts behind its bracket. Its first byte belongs to it even when it is the closing bracket.
function parseSet(pattern: string, start: number): ParsedSet | undefined {
  const isNegated = pattern[start] === '!' || pattern[start] === '^';
  const tests: ((byte: string) => boolean)[] = [];
  let at = isNegated ? start + 1 : start;
  // What a range can start with: not the end of another, nor a class.
  let before = '';
  do {
    const item = parseItem(pattern, at, before);
    if (item === undefined) return undefined;
    tests.push(item.has);
    before = item.before;
    at = item.end;
  } while (pattern[at] !== ']');
  return { has: (byte) => tests.some((test) => test(byte)) !== isNegated, end: at + 1 };
}

function parseItem(
  pattern: string,
  at: number,
  before: string,
): (ParsedSet & { readonly before: string }) | undefined {
  const byte = pattern[at];
  const next = pattern[at + 1];
  if (byte === undefined) return undefined;
  if (byte === '-' && before !== '' && next !== undefined && next !== ']') {
    const last = next === '\\' ? pattern[at + 2] : next;
    if (last === undefined) return undefined;
    const has = (tested: string): boolean => tested >= before && tested <= last;
    return { has, before: '', end: at + (next === '\\' ? 3 : 2) };
  }
  if (byte === '[' && next === ':') {
    const close = pattern.indexOf(']', at + 2);
    if (close === -1) return undefined;
    if (close > at + 2 && pattern[close - 1] === ':') {
      const name = pattern.slice(at + 2, close - 1);
      const known = Object.hasOwn(classes, name) ? classes[name] : undefined;
      return known && { has: (tested) => known.test(tested), before: '', end: close + 1 };
    }
  }
  const literal = byte === '\\' ? next : byte;
  if (literal === undefined) return undefined;
  return { has: (tested) => tested === literal, before: literal, end: at + (byte === '\\' ? 2 : 1) };
}
