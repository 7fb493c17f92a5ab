// Where in a JSON text each value is, for messages about it, and what the text's syntax trips over (RFC 8259). Slow
// beside JSON.parse, and used only when that has found something to complain of; knows nothing of lock files.

export interface JsonLines {
  /** Line number, from 1, by path: `inputs.bash.pins[0].sha256`; the whole is ''. */
  readonly lines: ReadonlyMap<string, number>;
  /** The first syntax error, or the first member name that its object has twice. */
  readonly problem: { readonly line: number; readonly message: string } | undefined;
}

/** Finds the lines of all values, up to the first problem. */
export function locateJson(text: string): JsonLines {
  const scanner = new Scanner(text);
  try {
    scanner.whole();
    return { lines: scanner.lines, problem: undefined };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { lines: scanner.lines, problem: { line: scanner.line, message: error.message } };
  }
}

/** The path of a member or an item below `path`. */
export function memberPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

class Problem extends Error {}

// Deeper than any lock file, and shallow enough for the stack.
const maxDepth = 64;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// Control characters are what RFC 8259 §7 forbids in strings.
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

class Scanner {
  readonly lines = new Map<string, number>();
  readonly #text: string;
  #at = 0;
  line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): void {
    if (this.#text.startsWith('\ufeff'))
      throw new Problem('it begins with a byte order mark (BOM), which JSON does not have');
    this.#value('', 0);
    this.#space();
    if (this.#at < this.#text.length) throw new Problem('there is something after the end of the JSON value');
  }

  #value(path: string, depth: number): void {
    if (depth > maxDepth) throw new Problem('it is nested too deeply');
    this.#space();
    this.lines.set(path, this.line);
    if (this.#take('{')) this.#members(path, depth + 1);
    else if (this.#take('[')) this.#items(path, depth + 1);
    else if (this.#match(string) === undefined && this.#match(scalar) === undefined)
      this.#unexpected('a value');
  }

  #members(path: string, depth: number): void {
    const names = new Set<string>();
    if (this.#take('}')) return;
    do {
      this.#space();
      const name = JSON.parse(this.#match(string) ?? this.#unexpected('a member name in quotes')) as string;
      if (names.has(name)) throw new Problem(`"${name}" is there twice`);
      names.add(name);
      if (!this.#take(':')) this.#unexpected('":"');
      this.#value(memberPath(path, name), depth);
    } while (this.#take(','));
    if (!this.#take('}')) this.#unexpected('"," or "}"');
  }

  #items(path: string, depth: number): void {
    if (this.#take(']')) return;
    let index = 0;
    do this.#value(memberPath(path, index++), depth);
    while (this.#take(','));
    if (!this.#take(']')) this.#unexpected('"," or "]"');
  }

  #take(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  #space(): void {
    for (; ' \t\r\n'.includes(this.#text[this.#at] ?? '!'); this.#at++)
      if (this.#text[this.#at] === '\n') this.line++;
  }

  #unexpected(wanted: string): never {
    const found = this.#text[this.#at];
    throw new Problem(`expected ${wanted}, found ${found === undefined ? 'the end' : JSON.stringify(found)}`);
  }
}
