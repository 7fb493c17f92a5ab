// What is wrong with an archive, said by the code that reads one. Knows neither the archive's name nor who asked.

/**
 * `hostile`: it would do something no honest archive does. `malformed`: it is broken, cut short, or of no known form.
 * `tooLarge`: it is more than was expected, and may be hostile or just that large. `stripped`: nothing is wrong with it, but something in it would be lost to `strip`.
 * `lost`: nothing is wrong with it, but something in it would be lost since no tree can hold it.
 */
export type BadArchiveKind = 'hostile' | 'malformed' | 'tooLarge' | 'stripped' | 'lost';

/** Ends the reading of an archive. The message is a clause that follows the archive's name and a colon. */
export class BadArchive extends Error {
  override readonly name = 'BadArchive';
  readonly kind: BadArchiveKind;

  constructor(kind: BadArchiveKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

export function hostile(message: string): never {
  throw new BadArchive('hostile', message);
}

export function malformed(message: string): never {
  throw new BadArchive('malformed', message);
}

export function tooLarge(message: string): never {
  throw new BadArchive('tooLarge', message);
}

export function stripped(message: string): never {
  throw new BadArchive('stripped', message);
}

export function lost(message: string): never {
  throw new BadArchive('lost', message);
}

const longestShown = 120;

/** An entry's name as it may be shown to a person: quoted, cut when it is very long, nothing left that moves a cursor. */
export function shown(name: string): string {
  const quoted = JSON.stringify(name.slice(0, longestShown)).replace(invisible, escape);
  return name.length <= longestShown ? quoted : `${quoted}… (${name.length} characters)`;
}

// DEL, the C1 controls, and what changes the direction of writing.
const invisible = /[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
