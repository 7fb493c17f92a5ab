// Why a cache's records do not count, what performs a step there, and editions that are not what they should be: no cache between,
// only its seam.

import { describe, expect, test } from 'vitest';
import { compareWithCache, type Against } from '../../engine/caches/against.ts';
import { editionTree, readEditionTree } from '../../engine/caches/edition-tree.ts';
import { write, type Derivation } from '../../engine/model/derivation.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import { revisions } from '../../engine/model/revisions.ts';
import type { Step } from '../../engine/step.ts';
import { digestHash, digestOf, type Digest } from '../../store/base/digest.ts';
import {
  decodeSignedRecord,
  signRecord,
  subjectOf,
  type Statement,
  type Trust,
} from '../../store/caches/index.ts';
import { encodeSignedRecord } from '../../store/caches/signed-record.ts';
import {
  encodeDirectory,
  generateSigningKey,
  type Directory,
  type Node,
  type SigningKey,
} from '../../store/index.ts';
import { MemoryCache } from '../support/memory-cache.ts';
import { command, stepOf, stepSource } from '../support/steps.ts';

const { signal } = new AbortController();
const [ci, laptop, stranger] = ['ci', 'laptop', 'stranger'].map(generateSigningKey) as [
  SigningKey,
  SigningKey,
  SigningKey,
];
const trust: Trust = { keys: [ci.publicKey, laptop.publicKey], need: 1 };
const name = 'top@x86_64-linux';
const top = command('top', command('low'));
const { id } = stepOf(top);
const nothing = { records: { description: () => undefined }, trees: { get: () => undefined } };
const action = digestOf(Buffer.from('action'));
const outputs = (text: string): Record<string, Node> => ({
  out: { kind: 'tree', digest: digestOf(Buffer.from(text)) },
});

type Said = readonly [SigningKey, Statement];

/** A cache that says these, whoever signed them. */
async function saying(...said: readonly Said[]): Promise<MemoryCache> {
  const cache = new MemoryCache();
  await add(
    cache,
    said.map(([key, statement]) => signRecord(statement, key)),
  );
  return cache;
}

async function add(cache: MemoryCache, signed: readonly Uint8Array[]): Promise<void> {
  const records = signed.map((bytes) => ({
    subject: subjectOf(decodeSignedRecord(bytes)!.statement),
    bytes,
  }));
  await cache.push({ outputs: [], records, from: { directory: none, read: none, stream: none } }, signal);
}

function none(): never {
  throw new Error('nothing is read');
}

const claim = (of = 'one', revision = revisions.run, about = action): Statement => ({
  kind: 'claim',
  claim: { format: 1, action: about, outputs: outputs(of), revision },
});
const memo = (of = 'one', derivation: Digest = id, about = action): Statement => ({
  kind: 'memo',
  memo: { derivation, action: about, outputs: outputs(of) },
});

function against(cache: MemoryCache, wanted: Derivation = top, asked = trust): Promise<Against> {
  const { steps, idOf } = stepSource(wanted);
  return compareWithCache(idOf(wanted), {
    ...{ names: [name], steps, cache, trust: asked, takesAnyKey: false, signal },
  });
}

describe('records of the very derivation do not count', () => {
  const refused = async (...said: readonly Said[]): Promise<unknown> => {
    const found = await against(await saying(...said));
    return found.kind === 'refused' ? found.refusal : found.kind;
  };

  test('when strangers signed them', async () => {
    expect(await refused([stranger, memo()], [stranger, claim()])).toMatchObject({ why: 'untrusted' });
    expect(await refused([ci, memo()], [stranger, claim()])).toMatchObject({ why: 'untrusted' });
  });

  test('when those who are trusted contradict each other', async () => {
    expect(await refused([ci, memo()], [ci, claim()], [laptop, memo('two')], [laptop, claim('two')])).toEqual(
      {
        ...{ why: 'disputed', signers: ['ci', 'laptop'], need: 1 },
      },
    );
    expect(await refused([ci, memo()], [ci, claim('two')])).toMatchObject({ why: 'disputed' });
  });

  test('when nobody claims what the derivation came to', async () => {
    expect(await refused([ci, memo()])).toMatchObject({ why: 'unclaimed' });
  });

  test('when more keys would have to say it', async () => {
    const cache = await saying([ci, memo()], [ci, claim()]);
    expect(await against(cache, top, { ...trust, need: 2 })).toMatchObject({
      refusal: { why: 'too-few', signers: ['ci'], need: 2 },
    });
  });

  test('when they are forged', async () => {
    const cache = new MemoryCache();
    const record = decodeSignedRecord(signRecord(memo(), stranger))!;
    await add(cache, [encodeSignedRecord({ ...record, key: ci.publicKey.bytes })]);
    expect(await against(cache)).toMatchObject({ refusal: { why: 'forged', signers: [] } });
  });
});

/** A cache with an edition of `derivation`, as `change` has it. */
async function withEdition(
  derivation: Derivation,
  key = ci,
  change: (steps: Map<string, Node>) => void = () => undefined,
): Promise<MemoryCache> {
  const closure = new Map<DerivationId, Step>();
  const step = stepOf(derivation, closure);
  const tree = editionTree(closure.values(), nothing, new Map());
  const steps = new Map(tree.directories.get(treeIn(tree.directories.get(tree.top.digest)!, 'steps')));
  change(steps);
  const directories = new Map<Digest, Directory>();
  const put = (directory: Directory): Node & { kind: 'tree' } => {
    const digest = digestOf(encodeDirectory(directory));
    directories.set(digest, directory);
    return { kind: 'tree', digest };
  };
  const changed = put(new Map([['steps', put(steps)]]));
  const edition = { name, derivation: step.id, builtAtMs: 0, descriptions: changed.digest };
  const bytes = signRecord({ kind: 'edition', edition }, key);
  const blobs = new Map([...tree.blobs, [digestOf(junk), junk]]);
  const cache = new MemoryCache();
  await cache.push(
    {
      outputs: [{ top: changed, name: 'descriptions' }],
      records: [{ subject: subjectOf({ kind: 'edition', edition }), bytes }],
      from: {
        directory: (digest) => directories.get(digest),
        read: (digest) => Promise.resolve(blobs.get(digest)!),
        stream: none,
      },
    },
    signal,
  );
  return cache;
}

const junk = Buffer.from('this describes nothing');
const junkBlob: Node = { kind: 'blob', digest: digestOf(junk), executable: false };

function treeIn(directory: Directory, entry: string): Digest {
  const node = directory.get(entry);
  return node?.kind === 'tree' ? node.digest : none();
}

const other = command('top', command('low', write({ name: 'words', files: { a: 'b' } })));

test('who performs a step by another revision is a cause', async () => {
  const raised = revisions as { run: number };
  raised.run -= 1;
  const cache = await withEdition(other).finally(() => (raised.run += 1));
  const found = await against(cache);
  if (found.kind !== 'differs') throw new Error(found.kind);
  const change = { kind: 'field', path: 'revision', before: revisions.run - 1, after: revisions.run };
  expect(found.causes.find(({ step }) => step.id === id)?.changes).toContainEqual(change);
});

test('an edition of a stranger is compared with, and said to be his; of those that are trusted there is one', async () => {
  expect(await against(await withEdition(other, stranger))).toMatchObject({
    kind: 'differs',
    found: { isTrusted: false, signer: expect.stringMatching(/^unknown:/) as string },
  });
});

test('an edition of what is wanted, without a result, says that it was left out', async () => {
  expect(await against(await withEdition(top))).toMatchObject({ kind: 'left-out', found: { signer: 'ci' } });
});

describe('an edition is as good as none', () => {
  const low = stepOf(command('low', write({ name: 'words', files: { a: 'b' } }))).id;
  test.each<[string, (steps: Map<string, Node>) => void]>([
    ['whose descriptions are not all there', (steps) => steps.delete(digestHash(low))],
    ['of which one describes nothing', (steps) => steps.set('junk', junkBlob)],
    ['that holds something else than files', (steps) => steps.set('link', { kind: 'symlink', target: '/' })],
    [
      'that would fill the memory',
      (steps) => {
        const digest = `${'0'.repeat(64)}/300000000` as Digest;
        steps.set('large', { kind: 'blob', digest, executable: false });
      },
    ],
  ])('%s', async (what, change) => {
    if (what.includes('memory')) return tooLarge();
    expect(await against(await withEdition(other, ci, change))).toEqual({ kind: 'unknown', results: 0 });
  });

  // What has no such bytes cannot be pushed; a cache may say that it has.
  async function tooLarge(): Promise<void> {
    const steps: Directory = new Map([
      ['large', { kind: 'blob', digest: `${'0'.repeat(64)}/300000000` as Digest, executable: false }],
    ]);
    const stepsDigest = digestOf(encodeDirectory(steps));
    const parts: Directory = new Map([['steps', { kind: 'tree', digest: stepsDigest }]]);
    const partsDigest = digestOf(encodeDirectory(parts));
    const bytes = new Map([
      [stepsDigest, encodeDirectory(steps)],
      [partsDigest, encodeDirectory(parts)],
    ]);
    const asked: Digest[] = [];
    const cache = Object.assign(new MemoryCache(), {
      has: (digests: ReadonlySet<Digest>) => Promise.resolve(digests),
      read: async (
        digests: ReadonlySet<Digest>,
        take: (digest: Digest, bytes: AsyncIterable<Uint8Array>) => Promise<void>,
      ) => {
        for (const digest of digests) {
          asked.push(digest);
          await take(digest, chunks(bytes.get(digest)!));
        }
      },
    });
    const edition = { derivation: id, descriptions: partsDigest };
    expect(await readEditionTree(edition, cache, signal)).toBeUndefined();
    expect(asked).toEqual([partsDigest, stepsDigest]);
  }
});

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}
