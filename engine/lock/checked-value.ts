// A value from outside on its way to being believed: each step says what it must be, or where it is not. Hand-written,
// since the lock file is read at every start and a validator library takes longer to load than the file to check.

import { memberPath } from './json-lines.ts';

/** What is wrong, and where: `path` as in `locateJson`. */
export class InvalidValue extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** A value whose form is not known yet. Every method throws InvalidValue when the form is another. */
export class CheckedValue {
  readonly #value: unknown;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    this.#value = value;
    this.#path = path;
  }

  /** An object with these members; `undefined` ones count as absent. */
  object<Name extends string>(
    required: readonly Name[],
    optional: readonly Name[] = [],
  ): CheckedObject<Name> {
    const members = this.#members();
    for (const name of Object.keys(members)) {
      if (!(required as readonly string[]).includes(name) && !(optional as readonly string[]).includes(name))
        this.#child(name).fail(`there is no field "${name}"`);
    }
    const missing = required.find((name) => members[name] === undefined);
    if (missing !== undefined) this.fail(`the field "${missing}" is missing`);
    return {
      get: (name) => this.#child(name),
      has: (name) => members[name] !== undefined,
    };
  }

  /** All members of an object, whatever their names. */
  entries(): [string, CheckedValue][] {
    return Object.keys(this.#members()).map((name) => [name, this.#child(name)]);
  }

  /** A member of an object that may have others. */
  member(name: string): CheckedValue {
    return this.#child(name);
  }

  items(): CheckedValue[] {
    if (!Array.isArray(this.#value)) return this.fail('it must be a list');
    return this.#value.map((item, index) => new CheckedValue(item, memberPath(this.#path, index)));
  }

  /** A string that matches `pattern`; `what` says in words what it must be. */
  text(pattern: RegExp, what: string): string {
    if (typeof this.#value !== 'string' || !pattern.test(this.#value)) return this.fail(`it must be ${what}`);
    return this.#value;
  }

  texts(pattern: RegExp, what: string): string[] {
    return this.items().map((item) => item.text(pattern, what));
  }

  oneOf<Text extends string>(...allowed: readonly Text[]): Text {
    const found = allowed.find((text) => text === this.#value);
    return found ?? this.fail(`it must be ${allowed.map((text) => `"${text}"`).join(' or ')}`);
  }

  /** For what is either said or not. */
  onlyTrue(): true {
    return this.#value === true ? true : this.fail('it must be true, or not be there');
  }

  /** A whole number of zero or more. */
  count(): number {
    if (!Number.isSafeInteger(this.#value) || (this.#value as number) < 0)
      return this.fail('it must be a whole number');
    return this.#value as number;
  }

  fail(message: string): never {
    throw new InvalidValue(this.#path, message);
  }

  #members(): Readonly<Record<string, unknown>> {
    if (typeof this.#value !== 'object' || this.#value === null || Array.isArray(this.#value))
      return this.fail('it must be an object');
    return this.#value as Readonly<Record<string, unknown>>;
  }

  #child(name: string): CheckedValue {
    const members = this.#members();
    return new CheckedValue(
      Object.hasOwn(members, name) ? members[name] : undefined,
      memberPath(this.#path, name),
    );
  }
}

export interface CheckedObject<Name extends string> {
  get(name: Name): CheckedValue;
  has(name: Name): boolean;
}
