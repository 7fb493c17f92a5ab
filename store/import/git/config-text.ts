// The text of a git configuration file (git-config(1), "Syntax"). Knows no setting and no other file.

export interface Setting {
  /** `section.key`, or `section.subsection.key`; all but the subsection in lower case. */
  readonly key: string;
  /** Undefined when only the key is there, which means true. */
  readonly value: string | undefined;
}

/** A line that git does not read either. */
export class BadConfigLine extends Error {
  override readonly name = 'BadConfigLine';
  readonly line: number;

  constructor(line: number) {
    super(`bad config line ${line}`);
    this.line = line;
  }
}

/** The settings in a text, in its order. @throws BadConfigLine */
export function parseConfig(text: string): Setting[] {
  return new Parser(text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')).settings();
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  settings(): Setting[] {
    const settings: Setting[] = [];
    let section = '';
    for (;;) {
      this.#take(/(?:\s|[#;].*)*/y);
      if (this.#at === this.#text.length) return settings;
      if (this.#text[this.#at] === '[') {
        section = `${this.#section()}.`;
        continue;
      }
      const name = this.#take(/[A-Za-z][A-Za-z0-9-]*/y);
      if (name === undefined) throw this.#bad();
      settings.push({ key: `${section}${name.toLowerCase()}`, value: this.#valueIfAny() });
    }
  }

  #section(): string {
    const match =
      this.#take(/\[[A-Za-z0-9.-]+\]/y) ?? this.#take(/\[[A-Za-z0-9.-]+[ \t]+"(?:[^"\\\n]|\\[^\n])*"\]/y);
    if (match === undefined) throw this.#bad();
    const [, name, sub] = /^\[([A-Za-z0-9.-]+)(?:[ \t]+"(.*)")?\]$/.exec(match)!;
    if (sub === undefined) return name!.toLowerCase();
    return `${name!.toLowerCase()}.${sub.replace(/\\(.)/g, '$1')}`;
  }

  #valueIfAny(): string | undefined {
    this.#take(/[ \t]*/y);
    if (this.#at === this.#text.length || this.#text[this.#at] === '\n') return undefined;
    if (this.#take(/=/y) === undefined) throw this.#bad();
    return this.#value();
  }

  // White space in a value's midst and in quotes stays; around it, it goes.
  #value(): string {
    let value = '';
    let keptLength = 0;
    let isQuoted = false;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || character === '\n') {
        if (isQuoted) throw this.#bad();
        return value.slice(0, keptLength);
      }
      this.#at++;
      if (character === '"') {
        isQuoted = !isQuoted;
      } else if (!isQuoted && /[#;]/.test(character)) {
        this.#take(/.*/y);
      } else if (!isQuoted && /\s/.test(character)) {
        if (value !== '') value += character;
      } else {
        value += character === '\\' ? this.#escaped() : character;
        keptLength = value.length;
      }
    }
  }

  #escaped(): string {
    const character = this.#text[this.#at] ?? '';
    const meant = new Map([
      ['\n', ''],
      ['t', '\t'],
      ['b', '\b'],
      ['n', '\n'],
      ['\\', '\\'],
      ['"', '"'],
    ]).get(character);
    if (meant === undefined) throw this.#bad();
    this.#at++;
    return meant;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }

  #bad(): BadConfigLine {
    return new BadConfigLine(this.#text.slice(0, this.#at).split('\n').length);
  }
}
