// Who may write, and read where not everybody may: tokens by the names of those who have them. What is compared takes the same time
// whatever was sent. Pure.

import { createHash, timingSafeEqual } from 'node:crypto';
import { UserError } from '../../base/errors.ts';

export interface Token {
  /** Whose it is, for logs. */
  readonly name: string;
  readonly sha256: Buffer;
}

const fewestCharacters = 16;

/**
 * Lines `NAME TOKEN`; empty ones, and those that begin with `#`, say nothing.
 * @throws UserError `CACHE_INVALID`; what it says has nothing of a token in it
 */
export function parseTokens(text: string, from: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    const words = line.trim();
    if (words === '' || words.startsWith('#')) continue;
    const [, name = '', token = ''] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,63})\s+(\S+)$/.exec(words) ?? [];
    if (token.length < fewestCharacters)
      throw new UserError('CACHE_INVALID', `${from}, line ${at + 1}: that is no name with a token`, {
        hint: `A line is NAME TOKEN, with a token of ${fewestCharacters} characters and more: openssl rand -hex 32 gives one.`,
      });
    tokens.push({ name, sha256: sha256(token) });
  }
  return tokens;
}

/** Whose token an Authorization header shows, as a bearer's or as a password; undefined when it is nobody's. */
export function holderOf(authorization: string | undefined, tokens: readonly Token[]): string | undefined {
  const shown = sha256(tokenIn(authorization ?? ''));
  let holder: string | undefined;
  for (const { name, sha256: expected } of tokens) if (timingSafeEqual(shown, expected)) holder ??= name;
  return holder;
}

function tokenIn(authorization: string): string {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return '';
  const login = Buffer.from(value, 'base64').toString();
  return login.slice(login.indexOf(':') + 1);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
