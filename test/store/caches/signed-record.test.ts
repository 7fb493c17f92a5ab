// Signed records and keys: one byte form, and no signature that says something else than what its key's holder signed.

import { describe, expect, test } from 'vitest';
import { encodeCbor } from '../../../store/base/cbor.ts';
import { digestOf } from '../../../store/base/digest.ts';
import {
  formatPublicKey,
  generateSigningKey,
  parsePublicKey,
  parseSigningKey,
} from '../../../store/caches/keys.ts';
import {
  decodeSignedRecord,
  encodeSignedRecord,
  isGenuine,
  signRecord,
  type Statement,
} from '../../../store/caches/signed-record.ts';
import { agreed, weigh, type Heard } from '../../../store/caches/trust.ts';
import { loginFor } from '../../../store/caches/netrc.ts';
import { authorizationFor } from '../../../store/caches/credentials.ts';
import { openCache } from '../../../store/caches/open-cache.ts';

const digest = (text: string): ReturnType<typeof digestOf> => digestOf(Buffer.from(text));
const key = parseSigningKey(`cairn-signing-key:golden:${Buffer.alloc(32, 7).toString('base64')}`);
const outputs = { out: { kind: 'tree', digest: digest('tree') } } as const;
const claim: Statement = {
  kind: 'claim',
  claim: { format: 1, action: digest('action'), outputs, revision: 2 },
};
const memo: Extract<Statement, { kind: 'memo' }> = {
  kind: 'memo',
  memo: { derivation: digest('derivation'), action: digest('action'), outputs },
};
const relyingMemo: Statement = { ...memo, reliesOnOthers: true };
const edition: Statement = {
  kind: 'edition',
  edition: {
    name: 'lsb@x86_64-linux',
    derivation: digest('derivation'),
    builtAtMs: 1_700_000_000_000,
    descriptions: digest('tree'),
  },
};

function heard(statement: Statement, by = key, takesAnyKey = false): Heard {
  return { record: decodeSignedRecord(signRecord(statement, by))!, takesAnyKey };
}

test('a signed claim, memo and edition have one byte form each, for ever', () => {
  expect(formatPublicKey(key.publicKey)).toMatchInlineSnapshot(
    `"golden:6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw="`,
  );
  expect(digestOf(signRecord(claim, key))).toMatchInlineSnapshot(
    `"cc23899f8d898642accd3f1f125abdbcfa3e331e191c9c50bde90189776e6f6f/334"`,
  );
  expect(digestOf(signRecord(memo, key))).toMatchInlineSnapshot(
    `"ea01c0d4001aa518149b05e22c4c599bb301aa9173d4a1c1aaf642c34b9d8b04/404"`,
  );
  expect(digestOf(signRecord(relyingMemo, key))).toMatchInlineSnapshot(
    `"8bfa2d56086d3db6b0899f2f6b35da37e54943d3e58af02bdb90547a10b17d0a/412"`,
  );
  expect(digestOf(signRecord(edition, key))).toMatchInlineSnapshot(
    `"81a63755b69d4d3d939e0d369d52247fa3ac938c90a066896b66f8e03033d6d4/354"`,
  );
  for (const statement of [claim, memo, relyingMemo, edition]) {
    const record = decodeSignedRecord(signRecord(statement, key))!;
    expect([record.statement, isGenuine(record)]).toEqual([statement, true]);
    expect(Buffer.compare(encodeSignedRecord(record), signRecord(statement, key))).toBe(0);
  }
});

describe('a record is not genuine', () => {
  const record = decodeSignedRecord(signRecord(claim, key))!;
  const memoRecord = decodeSignedRecord(signRecord(memo, key))!;

  test('when its statement names another tree', () => {
    const other = { kind: 'tree', digest: digest('another tree') } as const;
    const statement: Statement = { kind: 'claim', claim: { ...claimIn(claim), outputs: { out: other } } };
    const forged = decodeSignedRecord(signRecord(statement, generateSigningKey('x')))!;
    expect(isGenuine({ ...forged, key: record.key, signature: record.signature })).toBe(false);
    expect(isGenuine({ ...forged, key: record.key })).toBe(false);
  });

  test('when its signature is that of another statement, of another kind, or of another key', () => {
    expect(isGenuine({ ...record, signature: memoRecord.signature })).toBe(false);
    // The same bytes under the other kind: nobody signed that.
    expect(isGenuine({ ...record, statement: memoRecord.statement })).toBe(false);
    expect(isGenuine({ ...memoRecord, statement: relyingMemo })).toBe(false);
    const relying = decodeSignedRecord(signRecord(relyingMemo, key))!;
    expect(isGenuine({ ...relying, statement: memo })).toBe(false);
    expect(isGenuine({ ...record, key: generateSigningKey('x').publicKey.bytes })).toBe(false);
    expect(isGenuine({ ...record, key: new Uint8Array(32).fill(0xff) })).toBe(false);
  });

  test.each(['format', 'kind', 'body', 'key', 'signature'])('when its %s is missing or another', (field) => {
    const members = {
      format: 1,
      kind: 'claim',
      body: record.body,
      key: record.key,
      signature: record.signature,
    };
    expect(decodeSignedRecord(encodeCbor(members))).toBeDefined();
    expect(decodeSignedRecord(encodeCbor({ ...members, [field]: undefined }))).toBeUndefined();
    expect(decodeSignedRecord(encodeCbor({ ...members, [field]: 2 }))).toBeUndefined();
    expect(decodeSignedRecord(encodeCbor({ ...members, more: 1 }))).toBeUndefined();
  });
});

describe('what is said counts', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(generateSigningKey) as [typeof key, typeof key, typeof key];
  const keys = [a, b, c].map(({ publicKey }) => publicKey);
  const another: Statement = { kind: 'claim', claim: { ...claimIn(claim), revision: 3 } };

  test('when a trusted key signed it, and never when only others did', () => {
    expect(agreed(weigh([heard(claim, a)], { keys, need: 1 }))?.signers).toEqual(['a']);
    expect(weigh([heard(claim, key)], { keys, need: 1 })).toEqual([]);
    expect(weigh([heard(claim, a)], { keys: [], need: 1 })).toEqual([]);
  });

  test('when as many keys as are needed made the same, each by itself', () => {
    const trust = { keys, need: 2 };
    expect(agreed(weigh([heard(claim, a), heard(claim, a)], trust))).toBeUndefined();
    expect(agreed(weigh([heard(claim, a), heard(another, b)], trust))).toBeUndefined();
    expect(agreed(weigh([heard(claim, a), heard(claim, key)], trust))).toBeUndefined();
    expect(agreed(weigh([heard(claim, a), heard(another, c), heard(claim, b)], trust))?.signers).toEqual([
      'a',
      'b',
    ]);
  });

  test('but where more than one is needed, not what any of them may have had from another', () => {
    const voices = [heard(memo, a), heard(relyingMemo, b)];
    expect(agreed(weigh(voices, { keys, need: 2 }))).toBeUndefined();
    expect(weigh(voices, { keys, need: 2 }).map(({ signers }) => signers)).toEqual([['a']]);
    expect(agreed(weigh([...voices, heard(memo, c)], { keys, need: 2 }))?.signers).toEqual(['a', 'c']);
    expect(agreed(weigh(voices, { keys, need: 1 }))?.signers).toEqual(['a', 'b']);
    expect(agreed(weigh([heard(relyingMemo, b)], { keys, need: 1 }))?.signers).toEqual(['b']);
  });

  test('and when two versions do, none is taken, and both are shown', () => {
    const versions = weigh([heard(claim, a), heard(another, b)], { keys, need: 1 });
    expect(agreed(versions)).toBeUndefined();
    expect(versions.map(({ signers }) => signers)).toEqual([['a'], ['b']]);
  });

  test('by any key, of a cache of which the person says so', () => {
    const versions = weigh([heard(claim, key, true)], { keys, need: 2 });
    expect(agreed(versions)?.signers[0]).toMatch(/^unknown:/);
  });

  test('and a key that stands there under two names is one', () => {
    const twice = { keys: [a.publicKey, { ...a.publicKey, name: 'again' }], need: 2 };
    expect(agreed(weigh([heard(claim, a)], twice))).toBeUndefined();
  });
});

describe('a key as text', () => {
  test('comes back from it, and a secret is not taken for a public one, or told', () => {
    const fresh = generateSigningKey('laptop');
    expect(parsePublicKey(formatPublicKey(fresh.publicKey))).toEqual(fresh.publicKey);
    expect(parseSigningKey(fresh.secretText()).publicKey).toEqual(fresh.publicKey);
    const secret = fresh.secretText().split(':').at(-1)!;
    for (const parse of [parsePublicKey, parseSigningKey])
      expect(() => parse(`${fresh.secretText()}x`)).toThrow(expect.not.stringContaining(secret) as string);
  });

  test.each(['', 'a', 'a:', ':AAAA', 'a:AAAA', 'a b:AAAA', `a:${'A'.repeat(44)}`, `a:${'A'.repeat(43)}=:x`])(
    'is refused when it is %j',
    (text) => {
      expect(() => parsePublicKey(text)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    },
  );
});

describe('what lets us into a web server', () => {
  const url = new URL('https://cache.example/team');

  test('is the token for that host, and for no other', async () => {
    const env = { HOME: '/nonexistent', CAIRN_CACHE_TOKEN: 'other.example=no cache.example=yes' };
    expect(await authorizationFor(url, env)).toBe('Bearer yes');
    expect(await authorizationFor(new URL('https://cache.example:8443/'), env)).toBeUndefined();
    expect(await authorizationFor(new URL('https://third.example/'), env)).toBeUndefined();
  });

  test.each([
    ['machine cache.example login me password secret', { user: 'me', password: 'secret' }],
    [
      'machine x login a password b\nmachine cache.example\n login me\n password s',
      { user: 'me', password: 's' },
    ],
    ['default login any password p', { user: 'any', password: 'p' }],
    ['# machine cache.example login me password secret', undefined],
    ['machine other login me password secret', undefined],
    ['machine cache.example login me', undefined],
  ])('is what .netrc says: %j', (netrc, login) => {
    expect(loginFor('cache.example', netrc)).toEqual(login);
  });

  test.each([
    'https://me:secret@cache.example/',
    'https://cache.example/?token=secret',
    's3://bucket/path?token=secret',
    'ftp://x',
    'cache',
    'file://host/folder',
  ])('is never in a URL, and %s is refused', (text) => {
    const opening = (): unknown => openCache(text, { env: {} });
    expect(opening).toThrow(expect.objectContaining({ code: 'CACHE_INVALID' }));
    if (text.includes('cache.example'))
      expect(opening).toThrow(expect.not.stringContaining('secret') as string);
  });
});

function claimIn(statement: Statement): Extract<Statement, { kind: 'claim' }>['claim'] {
  if (statement.kind !== 'claim') throw new Error('the test is wrong');
  return statement.claim;
}
