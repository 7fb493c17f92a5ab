// How long a command is expected to take here and elsewhere, by the records of a real store.

import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ExecutorOffer } from '../../engine/execute/executor.ts';
import { Expectations } from '../../engine/expected-takes.ts';
import { usualPace, type Pace } from '../../engine/schedule/pace.ts';
import { fetchUrl, run, unpack, type Derivation } from '../../engine/model/derivation.ts';
import { resolveStep } from '../../engine/plan/resolve.ts';
import { digestOf, type Digest } from '../../store/base/digest.ts';
import { openStore, type Node, type Store } from '../../store/index.ts';
import { madeRealisation } from '../support/realisations.ts';
import { command, stepOf } from '../support/steps.ts';
import { tempFolder } from '../support/temp-folder.ts';

const action = digestOf(Buffer.from('what it was the last time'));
const outputs = { out: { kind: 'tree', digest: digestOf(Buffer.from('what it gave')) } } as const;

async function freshStore(): Promise<Store> {
  const store = await openStore(join(tempFolder('takes'), 'store'));
  onTestFinished(() => store.close());
  return store;
}

const offers = (known: ReadonlySet<Digest> = new Set(), pace: Partial<Pace> = {}): ExecutorOffer[] => {
  const common = {
    platforms: ['x86_64-linux'],
    slots: 4,
    open: () => Promise.reject(new Error('unused')),
  } as const;
  return [
    {
      ...common,
      pool: 'run:away',
      isHere: false,
      pace: { ...usualPace, overheadMs: 1000, ...pace },
      coresOf: () => 2,
      isKnownThere: (tree) => known.has(tree),
    },
    {
      ...common,
      pool: 'run:here',
      isHere: true,
      pace: { ...usualPace, overheadMs: 10 },
      coresOf: (free) => free,
      isKnownThere: () => true,
    },
  ];
};

const file = (digest: Digest): Node => ({ kind: 'blob', digest, executable: false });

interface Asked {
  readonly known?: ReadonlySet<Digest>;
  readonly pace?: Partial<Pace>;
  readonly isWanted?: boolean;
  readonly nodes?: readonly Node[];
  readonly derivation?: Derivation;
}

/** Away, and here with one and with four slots free. */
function takes(
  store: Store,
  { known, pace, isWanted = false, nodes = [], derivation }: Asked = {},
): number[] {
  const needs = nodes.map((_, at) => command(`given-${at}`));
  const inputs = Object.fromEntries(needs.map((need, at) => [`/given/${at}`, need]));
  const step = stepOf(derivation ?? run({ name: 'it', layers: [], inputs, argv: ['/bin/true'] }));
  const nodeOf = new Map(needs.map((need, at) => [stepOf(need).id, nodes[at]!]));
  const resolved = resolveStep(
    step,
    (id) => ({ out: nodeOf.get(id) ?? { kind: 'tree', digest: action } }),
    (top, path) => store.trees.lookup(top, path),
  );
  const offered = offers(known, pace);
  const expectations = new Expectations({
    store,
    offerOf: (pool) => offered.find((offer) => offer.pool === pool)!,
    bringsFiles: () => isWanted,
  });
  const takesMs = expectations.takesMs(resolved);
  return [takesMs('run:away', 4), takesMs('run:here', 1), takesMs('run:here', 4)];
}

async function timed(
  store: Store,
  { durationMs, ...facts }: { durationMs: number; cpuMs?: number; sizeBytes?: number },
): Promise<void> {
  await store.records.update((records) => {
    records.putDuration('it@x86_64-linux', durationMs);
    records.putLineage('it@x86_64-linux', { derivation: action, action });
    records.putRealisation(madeRealisation(action, outputs, { durationMs, ...facts }));
  });
}

test('it is what was recorded, and what the place adds to it', async () => {
  const store = await freshStore();
  await timed(store, { durationMs: 5000 });
  expect(takes(store)).toEqual([6000, 5010, 5010]);
});

test('a command that kept many cores busy takes longer where it is told to use few', async () => {
  const store = await freshStore();
  await timed(store, { durationMs: 5000, cpuMs: 20_000 });
  expect(takes(store)).toEqual([11_000, 20_010, 5010]);
});

test('one that was never timed is guessed at by the size of its source', async () => {
  const store = await freshStore();
  expect(takes(store)).toEqual([11_000, 10_010, 10_010]);
  const archive = fetchUrl({
    name: 'a',
    urls: ['https://a.example/a'],
    sha256: 'a'.repeat(64),
    sizeBytes: 2_000_000,
  });
  const source = unpack({ name: 'source', archive });
  const derivation = run({ name: 'it', layers: [], inputs: { '/source': source }, argv: ['/bin/true'] });
  expect(takes(store, { derivation })[1]).toBe(30_010);
});

test('what is here has to go there, unless it is known to be there', async () => {
  const store = await freshStore();
  await timed(store, { durationMs: 5000 });
  const batch = store.begin();
  const blob = batch.addBytes(new Uint8Array(2_000_000));
  const tree = batch.addDirectory(new Map([['a', file(blob)]]));
  await batch.commit();
  const nodes: Node[] = [{ kind: 'tree', digest: tree }];
  expect(takes(store, { nodes })).toEqual([6100, 5010, 5010]);
  expect(takes(store, { nodes, known: new Set([tree]) })).toEqual([6000, 5010, 5010]);
});

test('what a server was seen to be like counts, not what was guessed', async () => {
  const store = await freshStore();
  await timed(store, { durationMs: 5000, sizeBytes: 1_000_000 });
  const batch = store.begin();
  const blob = batch.addBytes(new Uint8Array(2_000_000));
  await batch.commit();
  const nodes = [file(blob)];
  const away = (pace: Partial<Pace>, isWanted = false): number => takes(store, { nodes, pace, isWanted })[0]!;
  expect(away({ overheadMs: 100 })).toBe(5200);
  expect(away({ bytesPerSecond: 1_000_000 })).toBe(8000);
  // It has most of it already; what it gives comes whole.
  expect(away({ bytesPerSecond: 1_000_000, lackedShare: 0.25 })).toBe(6500);
  expect(away({ bytesPerSecond: 1_000_000, lackedShare: 0.25 }, true)).toBe(7500);
});

test('what stayed there has to come here', async () => {
  const store = await freshStore();
  await timed(store, { durationMs: 5000 });
  const batch = store.begin();
  const blob = digestOf(new Uint8Array(2_000_000));
  batch.leave(blob, 'grpc://build.example');
  const tree = batch.addDirectory(new Map([['a', file(blob)]]));
  await batch.commit();
  expect(takes(store, { nodes: [{ kind: 'tree', digest: tree }] })).toEqual([6000, 5110, 5110]);
});

test('what is wanted has to come here from there', async () => {
  const store = await freshStore();
  await timed(store, { durationMs: 5000, sizeBytes: 2_000_000 });
  expect(takes(store, { isWanted: true })).toEqual([6100, 5010, 5010]);
});
