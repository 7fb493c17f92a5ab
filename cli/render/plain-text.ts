// Foreign text made safe to print: logs, names and paths come from builds and archives, and a terminal obeys what it is
// sent. Pure.

import { stripVTControlCharacters } from 'node:util';

// C0 and C1 controls, and the marks that reorder text on the screen (Unicode UAX 9, explicit directional formatting).
const unsafe = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const suspicious = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** One line: no escape sequence, no control character, tabs as spaces. */
export function plainLine(text: string): string {
  if (!suspicious.test(text)) return text;
  return stripVTControlCharacters(text)
    .replace(/[\t\n]/g, ' ')
    .replace(unsafe, '');
}

/** Several lines: as {@link plainLine}, but tabs and line ends stay. */
export function plainText(text: string): string {
  return suspicious.test(text) ? stripVTControlCharacters(text).replace(unsafe, '') : text;
}
