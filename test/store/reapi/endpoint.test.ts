import { describe, expect, test } from 'vitest';
import { UserError } from '../../../store/base/errors.ts';
import { ReapiClient, type ReapiClientOptions } from '../../../store/reapi/client.ts';
import { parseEndpoint } from '../../../store/reapi/endpoint.ts';
import { failureOfStatus } from '../../../store/reapi/failure.ts';

test.each([
  ['grpc://cache:8980/main', { address: 'cache:8980', instance: 'main', isEncrypted: false }],
  ['grpcs://cache.example', { address: 'cache.example:443', instance: '', isEncrypted: true }],
  ['grpcs://cache/team/a/', { address: 'cache:443', instance: 'team/a', isEncrypted: true }],
  ['grpc://[::1]:90', { address: '[::1]:90', instance: '', isOnThisMachine: true }],
  ['grpc+unix:///run/a%20b.sock?instance=main', { address: 'unix:/run/a b.sock', instance: 'main' }],
])('%s is understood', (url, endpoint) => {
  expect(parseEndpoint(url)).toMatchObject(endpoint);
});

describe('what cannot be used is refused without a word of what may be secret', () => {
  const secret = 'hunter2';

  test.each([
    `grpc://user:${secret}@cache:80/`,
    `https://cache/${secret}`,
    `grpc+unix://host/${secret}`,
    `grpc+unix:?${secret}`,
    `grpc+unix:///s?token=${secret}`,
    `${secret} and no URL`,
  ])('%s', (url) => {
    expectRefusal(() => parseEndpoint(url));
  });

  test.each<[string, string, ReapiClientOptions['credentials']]>([
    ['a token that anybody on the way could read', 'grpc://cache:80', { token: secret }],
    ['a token that would end its header', 'grpcs://cache:443', { token: `${secret}\r\nx: y` }],
    ['a certificate for a server without TLS', 'grpc://cache:80', { authorities: Buffer.from(secret) }],
    [
      'a key that is none',
      'grpcs://cache:443',
      { certificate: { chain: Buffer.from(secret), key: Buffer.from(secret) } },
    ],
  ])('%s', (_, url, credentials) => {
    expectRefusal(() => new ReapiClient(url, { credentials: credentials! }).close());
  });

  test('what a server says of a token', () => {
    const { message } = failureOfStatus(16, `bad Bearer ${secret}\nand ${secret}`, 'asking');
    expect(message).not.toContain(secret);
    expect(message).toContain('UNAUTHENTICATED');
  });

  function expectRefusal(act: () => unknown): void {
    let refusal: unknown;
    try {
      act();
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(UserError);
    expect((refusal as UserError).code).toBe('CACHE_INVALID');
    expect(`${(refusal as UserError).message} ${(refusal as UserError).hint}`).not.toContain(secret);
  }
});
