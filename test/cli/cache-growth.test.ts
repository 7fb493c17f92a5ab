// The page on how a team's cache grows: its numbers follow from its assumptions, from what the README shows, and from what is measured
// here.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { openCache, signRecord, type Statement } from '../../store/caches/index.ts';
import { encodeContentList } from '../../store/caches/content-list.ts';
import { joined } from '../../store/caches/pieces.ts';
import { formatEntries } from '../../store/caches/record-index.ts';
import { chunkSizes, usualAverageBytes } from '../../store/chunking/chunk-cutter.ts';
import { chunksIn } from '../../store/chunking/chunks.ts';
import { encodeDirectory, generateSigningKey, type ContentReader, type Node } from '../../store/index.ts';
import { bytesOf } from '../support/reapi-blobs.ts';
import { endedRequests, serveStore, type Serving } from '../support/served-store.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { assumptions, growth, type Measured, type Shown } from '../support/cache-growth.ts';

const { signal } = new AbortController();
const page = readFileSync(join(packageRoot, 'cli/examples/cache-growth.md'), 'utf8');
/** A kernel of README's images, in the middle of one. */
const kernelBytes = 12_000_000;

function shown(): Shown {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  const number = (pattern: RegExp): number => Number(pattern.exec(readme)![1]);
  return {
    imageBytes: number(/\| `rpi` \|[^|]*\| (\d+) MB/) * 1e6,
    userlandBytes: number(/^lsb@\S+ .* ([\d.]+) MB/m) * 1e6,
    programBytes: number(/^ {2}bash .* ([\d.]+) MB/m) * 1e6,
    stepsOfImage: number(/^(\d+) steps built again/m),
  };
}

const key = generateSigningKey('ci');

function recordsOf(action: Digest, out: Node): { readonly subject: Digest; readonly bytes: Uint8Array }[] {
  const derivation = digestOf(Buffer.from(`derivation of ${action}`));
  const outputs = { out };
  const statements: [Digest, Statement][] = [
    [action, { kind: 'claim', claim: { format: 1, action, outputs, revision: 1 } }],
    [derivation, { kind: 'memo', memo: { derivation, action, outputs } }],
  ];
  return statements.map(([subject, statement]) => ({ subject, bytes: signRecord(statement, key) }));
}

async function changedImageBytes(): Promise<number> {
  const before = bytesOf(1, 40_000_000);
  const after = Buffer.from(before);
  bytesOf(2, kernelBytes).copy(after, 15_000_000);
  const chunking = { sizes: chunkSizes(usualAverageBytes)!, seed: 0 };
  const chunksOf = async (bytes: Uint8Array): Promise<Map<Digest, number>> => {
    const sizes = new Map<Digest, number>();
    // eslint-disable-next-line @typescript-eslint/require-await -- a stream of what is at hand
    const stream = async function* () {
      yield bytes;
    };
    for await (const chunk of chunksIn(stream(), chunking)) sizes.set(digestOf(chunk), chunk.byteLength);
    return sizes;
  };
  const known = await chunksOf(before);
  return [...(await chunksOf(after))].reduce(
    (sum, [digest, size]) => sum + (known.has(digest) ? 0 : size),
    0,
  );
}

const graceMs = 30_000;

/** What one merge has changed, taken by somebody who has asked for nothing yet. */
async function requestsOfPull(): Promise<number> {
  const folder = tempFolder('growth');
  const open = ({ url, env }: Serving) =>
    openCache(url, { env, patience: { firstMs: 30_000, idleMs: 30_000 } });
  const all = Array.from({ length: assumptions.outputsOfMerge + 1 }, (_, at) => {
    const file = bytesOf(10 + at, 1_500_000);
    const directory = encodeDirectory(
      new Map([['file', { kind: 'blob', digest: digestOf(file), executable: false }]]),
    );
    const top = { kind: 'tree', digest: digestOf(directory) } as const;
    return { top, file, directory, records: recordsOf(digestOf(Buffer.from(`action ${at}`)), top) };
  });
  const blobs = new Map(all.map(({ file }) => [digestOf(file), file]));
  const from: ContentReader = {
    directory: (digest) => {
      const one = all.find(({ top }) => top.digest === digest);
      return one && new Map([['file', { kind: 'blob', digest: digestOf(one.file), executable: false }]]);
    },
    read: (digest) => Promise.resolve(blobs.get(digest)!),
    stream: async function* (digest) {
      yield await Promise.resolve(blobs.get(digest)!);
    },
  };
  const outputs = all.map(({ top }, at) => ({ top, name: `output ${at}` }));
  const pushed = await serveStore({ folder });
  await open(pushed).push({ outputs, records: all.flatMap(({ records }) => records), from }, signal);
  await pushed.stop(graceMs);
  const serving = await serveStore({ folder });
  const cache = open(serving);
  const subjects = new Set(all.flatMap(({ records }) => records.map(({ subject }) => subject)));
  expect(await cache.records(subjects, signal)).toHaveLength(subjects.size);
  const wanted = new Set(all.flatMap(({ top, file }) => [top.digest, digestOf(file)]));
  expect(await cache.has(wanted, new Set(all.map(({ top }) => top.digest)), signal)).toEqual(wanted);
  const drain = async (_: Digest, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    await joined(chunks);
  };
  await cache.read(wanted, drain, signal);
  // A request is counted when its answer has been sent, which who has asked may know before: so it is counted when all have ended.
  await serving.stop(graceMs);
  return [...endedRequests(serving).matchAll(/^cairn_requests_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, each]) => sum + Number(each),
    0,
  );
}

async function measured(): Promise<Measured> {
  const top = { kind: 'tree', digest: digestOf(Buffer.from('a tree')) } as const;
  const records = recordsOf(digestOf(Buffer.from('an action')), top);
  const entry = { subject: '0'.repeat(16), record: '0'.repeat(16), pack: '0'.repeat(16) };
  const listed = (files: number): number =>
    encodeContentList({
      packs: [
        {
          name: '0'.repeat(64),
          holds: Array.from({ length: files }, (_, at) => digestOf(Buffer.from(`${at}`))),
        },
      ],
      alone: [],
    }).byteLength;
  return {
    recordsOfStepBytes: records.reduce((sum, { bytes }) => sum + bytes.byteLength, 0),
    linesOfStepBytes: formatEntries(records.map(() => entry)).length,
    listedFileBytes: (listed(2000) - listed(1000)) / 1000,
    changedImageBytes: await changedImageBytes(),
    requestsOfPull: await requestsOfPull(),
  };
}

test('each number of the page on growth follows from its assumptions and from what is measured', async () => {
  const told = page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (what|assumed|-)/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, 3)
        .map((cell) => cell.trim()),
    );
  const names = Object.keys(assumptions).length;
  expect(told.slice(0, names).map(([, value]) => value)).toEqual(Object.values(assumptions).map(String));
  expect(told.slice(names)).toEqual(growth(shown(), await measured()));
});
