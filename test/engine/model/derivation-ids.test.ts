import { expect, test } from 'vitest';
import { evaluatedKey } from '../../../engine/evaluate/evaluated-key.ts';
import { closureOf, identify } from '../../../engine/evaluate/identify.ts';
import { decodeDerivation } from '../../../engine/model/decode.ts';
import { inputsOf, run, write, type Derivation } from '../../../engine/model/derivation.ts';
import { derivationIdOf, derivationRecord, type DerivationId } from '../../../engine/model/encode.ts';
import { revisions } from '../../../engine/model/revisions.ts';
import { decodeCbor, type CborValue } from '../../../store/base/cbor.ts';
import { derivationCases, localContent } from '../../support/derivation-cases.ts';

const identified = identify(closureOf(Object.values(derivationCases)), () => localContent);
const encodedOf = (id: DerivationId): Uint8Array =>
  identified.encoded.at([...identified.steps.keys()].indexOf(id));

// Ids are promises between machines and versions: a difference here is a new format, and every store forgets.
test.each(Object.entries(derivationCases))('the id of %s is what it always was', async (name, derivation) => {
  const id = identified.idOf(derivation);
  const encoded = encodedOf(id);
  const golden = { id, record: shown(decodeCbor(encoded)), encoded: Buffer.from(encoded).toString('hex') };
  await expect(`${JSON.stringify(golden, undefined, 2)}\n`).toMatchFileSnapshot(
    `../../golden/derivations/${name}.json`,
  );
});

test.each(Object.entries(derivationCases))(
  '%s comes back from its record as what it was',
  (_, derivation) => {
    const { id, inputIds } = identified.steps.get(identified.idOf(derivation))!;
    const encoded = encodedOf(id);
    const stored = decodeCbor(encoded);
    const decoded = decodeDerivation(stored, (input) => identified.steps.get(input)!.derivation);
    expect(new Set(decoded.inputIds)).toEqual(new Set(inputIds));
    expect(inputsOf(decoded.derivation).map((input) => identified.idOf(input.derivation))).toEqual(
      decoded.inputIds,
    );
    expect(idOf(decoded.derivation)).toBe(id);
  },
);

test('inputs of a decoded derivation are looked up only when they are looked at', () => {
  const encoded = encodedOf(identified.idOf(derivationCases['unpack']!));
  const asked: DerivationId[] = [];
  const { derivation } = decodeDerivation(decodeCbor(encoded), (id) => {
    asked.push(id);
    return derivationCases['fetch']!;
  });
  expect(asked).toEqual([]);
  expect(inputsOf(derivation)[0]!.derivation).toBe(derivationCases['fetch']);
  expect(asked).toEqual([identified.idOf(derivationCases['fetch']!)]);
});

test.each<[string, CborValue]>([
  ['nothing', null],
  ['another format', { format: 'cairn-derivation-0', kind: 'write', name: 'a', files: {} }],
  ['an unknown kind', { format: 'cairn-derivation-2', kind: 'wish', name: 'a', revision: 1 }],
  [
    'a field of another type',
    { format: 'cairn-derivation-2', kind: 'unpack', name: 'a', revision: 1, archive: 1, strip: 1 },
  ],
  ['of nobody', { format: 'cairn-derivation-2', kind: 'write', name: 'a', files: {} }],
  [
    'a file without content',
    { format: 'cairn-derivation-2', kind: 'write', name: 'a', revision: 1, files: { a: {} } },
  ],
])('a record that is %s is refused', (_, record) => {
  expect(() => decodeDerivation(record, () => derivationCases['fetch']!)).toThrow(
    expect.objectContaining({ code: 'STORE_CORRUPT' }) as Error,
  );
});

test('who performs a step is part of its id, and of the ids of all that is made from it', () => {
  const { fetch, unpack } = derivationCases;
  const made = run({ name: 'made', layers: [unpack!], argv: ['x'] });
  const ids = (): DerivationId[] => {
    const { idOf } = identify(closureOf([made]), () => localContent);
    return [fetch!, unpack!, made].map(idOf);
  };
  const [fetched, unpacked, top] = ids();
  const key = evaluatedKey({ configPath: 'x' });
  const raised = revisions as { unpack: number };
  raised.unpack += 1;
  try {
    const [again, ...others] = ids();
    expect(again).toBe(fetched);
    expect(others).not.toContain(unpacked);
    expect(others).not.toContain(top);
    // Ids that were kept with an evaluation are not taken for these.
    expect(evaluatedKey({ configPath: 'x' })).not.toBe(key);
  } finally {
    raised.unpack -= 1;
  }
  expect(ids()).toEqual([fetched, unpacked, top]);
});

test('the order in which fields and members are written does not matter', () => {
  const ordered = run({
    name: 'a',
    layers: [],
    argv: ['x'],
    env: { A: '1', B: '2', LONGER: '3' },
    limits: { timeoutSeconds: 1, logBytes: 2 },
  });
  const shuffled = run({
    limits: { logBytes: 2, timeoutSeconds: 1 },
    env: { LONGER: '3', B: '2', A: '1' },
    argv: ['x'],
    layers: [],
    name: 'a',
  });
  expect(idOf(shuffled)).toBe(idOf(ordered));
  const files = { b: '1', a: '2', ä: '3', '10': '4' };
  const reversed = Object.fromEntries(Object.entries(files).reverse());
  expect(idOf(write({ name: 'w', files: reversed }))).toBe(idOf(write({ name: 'w', files })));
});

test('every field of a step is part of its id', () => {
  const base = { name: 'a', layers: [], argv: ['x'] };
  const variants: readonly Derivation[] = [
    run(base),
    run({ ...base, name: 'b' }),
    run({ ...base, target: 'aarch64-linux' }),
    run({ ...base, argv: ['x', ''] }),
    run({ ...base, env: { A: '' } }),
    run({ ...base, outputs: ['dev'] }),
    run({ ...base, limits: { timeoutSeconds: 1 } }),
    run({ ...base, layers: [derivationCases['write']!] }),
    run({ ...base, inputs: { '/in': derivationCases['write']! } }),
    run({ ...base, inputs: { '/other': derivationCases['write']! } }),
  ];
  expect(new Set(variants.map(idOf)).size).toBe(variants.length);
});

function idOf(derivation: Derivation): DerivationId {
  return derivationIdOf(
    derivationRecord(
      derivation,
      ({ derivation: from, output, subpath }) => [idOf(from), output, subpath],
      derivation.kind === 'local' ? localContent : undefined,
    ),
  );
}

// Bytes as hex and members in the order of their names, for people who review a difference.
function shown(value: CborValue | undefined): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as Record<string, CborValue | undefined>);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, shown(member)]),
  );
}
