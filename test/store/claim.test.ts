import { describe, expect, test } from 'vitest';
import { encodeCbor, type CborValue } from '../../store/base/cbor.ts';
import { digestOf } from '../../store/base/digest.ts';
import { decodeClaim, encodeClaim, type Claim } from '../../store/index.ts';
import { randomFrom } from '../support/random.ts';

const digest = (text: string): ReturnType<typeof digestOf> => digestOf(Buffer.from(text));

const claim: Claim = {
  format: 1,
  action: digest('action'),
  outputs: {
    out: { kind: 'tree', digest: digest('tree') },
    program: { kind: 'blob', digest: digest('blob'), executable: true },
    link: { kind: 'symlink', target: 'größe' },
  },
  revision: 2,
};

test('a claim has one byte form, and comes back from it', () => {
  const bytes = encodeClaim(claim);
  expect(decodeClaim(bytes)).toEqual(claim);
  const { out, program, link } = claim.outputs;
  const turned = { revision: 2, outputs: { link, program, out }, action: claim.action, format: 1 } as Claim;
  expect(Buffer.compare(encodeClaim(turned), bytes)).toBe(0);
  // RFC 8949 §4.2.1: a map of four, the shortest keys first.
  expect(digestOf(bytes)).toMatchInlineSnapshot(
    `"678a8cff27baced711b3f881fe615064660868e832811c43b3599c1666f48b7e/333"`,
  );
});

describe('what is no claim is not taken for one', () => {
  const node = { kind: 'tree', digest: digest('tree') };
  const record = { format: 1, action: claim.action, outputs: { out: node }, revision: 1 };
  const cases: [string, CborValue][] = [
    ['a list', [record]],
    ['nothing', null],
    ['a member more', { ...record, name: 'x' }],
    ['a member less', { format: 1, action: claim.action, outputs: { out: node } }],
    ['another format', { ...record, format: 2 }],
    ['an action that is no digest', { ...record, action: 'f00/1' }],
    ['no outputs', { ...record, outputs: {} }],
    ['a list of outputs', { ...record, outputs: [node] }],
    ['an output whose name is a path', { ...record, outputs: { 'a/b': node } }],
    ['a node with a member more', { ...record, outputs: { out: { ...node, executable: true } } }],
    ['a node of no kind', { ...record, outputs: { out: { digest: node.digest } } }],
    [
      'a blob that does not say whether it is a program',
      { ...record, outputs: { out: { ...node, kind: 'blob' } } },
    ],
    ['a link to a number', { ...record, outputs: { out: { kind: 'symlink', target: 1 } } }],
    ['revision nought', { ...record, revision: 0 }],
    ['a revision in words', { ...record, revision: 'two' }],
  ];
  test('the record they all differ from is one', () => {
    expect(decodeClaim(encodeCbor(record))).toEqual(record);
  });
  test.each(cases)('%s', (_, value) => {
    expect(decodeClaim(encodeCbor(value))).toBeUndefined();
  });
  test('another encoding of the same values', () => {
    // The format, 1, in two bytes instead of one.
    const bytes = Buffer.from(encodeClaim(claim));
    const at = bytes.indexOf(Buffer.concat([Buffer.from([0x66]), Buffer.from('format'), Buffer.from([1])]));
    const longer = Buffer.concat([bytes.subarray(0, at + 7), Buffer.from([0x18, 1]), bytes.subarray(at + 8)]);
    expect([at > 0, decodeClaim(longer)]).toEqual([true, undefined]);
  });
  test('damaged bytes, whatever the damage, give no other claim than they say', () => {
    const random = randomFrom(7);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(encodeClaim(claim)).subarray(0, random(4) === 0 ? random(400) : undefined);
      for (let times = random(3); times >= 0; times--)
        if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
      const read = decodeClaim(bytes);
      if (read !== undefined) expect(Buffer.compare(encodeClaim(read), bytes)).toBe(0);
    }
  });
});
