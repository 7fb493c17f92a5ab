// Two machines and what lies between them: one builds and pushes, the other takes it and builds nothing. And what lies between
// them may be damaged, forged, slow or gone, and costs the other at most the work of making it himself. Commands are played.

import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Build } from '../../engine/build.ts';
import { Caches } from '../../engine/caches/caches.ts';
import type { CheckResult } from '../../engine/check.ts';
import { contentBelow } from '../../engine/content-below.ts';
import { mendCache } from '../../engine/caches/mend-cache.ts';
import { openCaches } from '../../engine/caches/open-caches.ts';
import { ownIdentical } from '../../engine/caches/own-claims.ts';
import { pushSteps } from '../../engine/caches/push-steps.ts';
import type { Event } from '../../engine/events.ts';
import type { Step } from '../../engine/step.ts';
import { run, type Derivation } from '../../engine/model/derivation.ts';
import { plannedSteps } from '../../engine/plan/planner.ts';
import { decodeSignedRecord, openCache, signRecord, type Trust } from '../../store/caches/index.ts';
import { decodePack } from '../../store/caches/pack.ts';
import { encodeSignedRecord } from '../../store/caches/signed-record.ts';
import { digestHash, digestOf } from '../../store/base/digest.ts';
import {
  encodeDirectory,
  generateSigningKey,
  openStore,
  type CacheReport,
  type Node,
  type SigningKey,
  type Store,
  type TreeNode,
} from '../../store/index.ts';
import { serveCache } from '../support/cache-server.ts';
import { ReapiServer } from '../support/reapi-server.ts';
import { noSources, playedWorkshop } from '../support/played-commands.ts';
import { command, stepSource } from '../support/steps.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ci = generateSigningKey('ci');
const laptop = generateSigningKey('laptop');
const below = command('below');
const beside = command('beside');
const top = command('top', below, beside);
const trustCi: Trust = { keys: [ci.publicKey], need: 1 };
const patience = { firstMs: 1000, idleMs: 30_000 };
const { signal } = new AbortController();

interface Machine {
  readonly store: Store;
  readonly ran: string[];
  readonly notices: string[];
  readonly outcomes: string[];
  readonly build: Build;
  /** Another one in the same workshop. */
  readonly begin: () => Build;
  readonly steps: ReturnType<typeof stepSource>['steps'];
  readonly idOf: ReturnType<typeof stepSource>['idOf'];
  realise(derivation: Derivation): Promise<boolean>;
}

interface Asking {
  readonly urls: readonly string[];
  readonly trust?: Trust;
  readonly takesAnyKey?: boolean;
  readonly graph?: Derivation;
}

async function machine({
  urls,
  trust = trustCi,
  takesAnyKey = false,
  graph = top,
}: Asking): Promise<Machine> {
  const store = await openStore(join(tempFolder('machine'), 'store'));
  onTestFinished(() => store.close());
  const [ran, notices, outcomes]: string[][] = [[], [], []];
  const caches = urls.map((url) => ({
    cache: openCache(url, { env: { HOME: '/nonexistent' }, patience }),
    takesAnyKey,
  }));
  const workshop = playedWorkshop({
    store,
    jobs: 1,
    run: async (name, _, { layers }) => {
      for (const layer of layers) await store.materialise(layer);
      ran!.push(name);
    },
    elsewhere: new Caches(caches, trust),
  });
  onTestFinished(() => workshop.close());
  const { steps, idOf } = stepSource(graph);
  const emit = (event: Event): void => {
    if (event.type === 'notice') notices!.push(event.message);
    if (event.type === 'step-finished') outcomes!.push(`${event.outcome.kind} ${event.step.name}`);
  };
  const begin = (): Build =>
    new Build(workshop, { steps, sandbox: undefined, sources: noSources, emit, signal });
  const build = begin();
  return {
    ...{ store, ran: ran!, notices: notices!, outcomes: outcomes!, build, begin, steps, idOf },
    realise: async (derivation) => (await build.realise([idOf(derivation)])).ok,
  };
}

/** A folder to which a machine has pushed what it built. */
async function pushedFolder(key: SigningKey = ci, graph = top): Promise<string> {
  const folder = tempFolder('cache');
  await pushTo(pathToFileURL(folder).href, key, graph);
  return folder;
}

async function pushTo(url: string, key: SigningKey, graph = top): Promise<void> {
  const builder = await machine({ urls: [], graph });
  expect(await builder.realise(graph)).toBe(true);
  const { store, steps, idOf } = builder;
  const cache = openCache(url, { env: { HOME: '/nonexistent' }, patience });
  await pushSteps([idOf(graph)], { store, steps, cache, key, signal });
}

const url = (folder: string): string => pathToFileURL(folder).href;

async function contentOf({ build, idOf }: Machine, derivation: Derivation): Promise<string> {
  return readFileSync(join(await build.materialise(idOf(derivation)), derivation.name), 'utf8');
}

describe('what one machine has built and pushed', () => {
  test.each(['a folder', 'a web server'])('another takes from %s, and builds nothing', async (where) => {
    const folder = tempFolder('cache');
    const at = where === 'a folder' ? url(folder) : (await serveCache(folder)).base;
    await pushTo(at, ci);
    const other = await machine({ urls: [at] });
    expect(await other.realise(top)).toBe(true);
    expect(await contentOf(other, top)).toBe('top');
    expect([other.ran, other.outcomes, other.notices]).toEqual([[], ['substituted top'], []]);
    const again = await other.build.realise([other.idOf(top)]);
    expect(again.outcomes.size).toBe(0);
    expect((await (await other.store.maintenance()).verify()).damages).toEqual([]);
  });

  test('is asked for from the top: what lies below it comes only when it is needed', async () => {
    const other = await machine({ urls: [url(await pushedFolder())] });
    const decisions = plannedSteps(await other.build.plan([other.idOf(top)]));
    expect(decisions.map(({ step, decision }) => `${decision} ${step.name}`)).toEqual(['substitute top']);
    expect(await other.build.bytesToBring(await other.build.plan([other.idOf(top)]))).toBeGreaterThan(3);
  });

  test('is input of what is new: it is taken, and only what is new is built', async () => {
    const folder = await pushedFolder();
    const fresh = command('fresh', below, beside);
    const other = await machine({ urls: [url(folder)], graph: fresh });
    expect(await other.realise(fresh)).toBe(true);
    expect(other.ran).toEqual(['fresh']);
    expect(other.outcomes.sort()).toEqual(['built fresh', 'substituted below', 'substituted beside']);
  });

  test('goes on to a second cache with the signature it has, and not with that of who hands it on', async () => {
    const other = await machine({ urls: [url(await pushedFolder())] });
    expect(await other.realise(top)).toBe(true);
    const second = url(tempFolder('second'));
    const cache = openCache(second, { env: {} });
    const { store, steps, idOf } = other;
    await pushSteps([idOf(top)], { store, steps, cache, key: laptop, signal });
    const third = await machine({ urls: [second], trust: { keys: [laptop.publicKey], need: 1 } });
    expect(await third.realise(top)).toBe(true);
    expect([...third.ran].sort()).toEqual(['below', 'beside', 'top']);
    const fourth = await machine({ urls: [second] });
    expect(await fourth.realise(top)).toBe(true);
    expect(fourth.ran).toEqual([]);
  });
});

describe('whose word does not count is not taken:', () => {
  test('an unknown key', async () => {
    const other = await machine({ urls: [url(await pushedFolder(laptop))] });
    expect(await other.realise(top)).toBe(true);
    expect([...other.ran].sort()).toEqual(['below', 'beside', 'top']);
  });

  test('unless the person says so for that cache', async () => {
    const other = await machine({ urls: [url(await pushedFolder(laptop))], takesAnyKey: true });
    expect(await other.realise(top)).toBe(true);
    expect(other.ran).toEqual([]);
  });

  test('one key where two are needed, until the second has built it, too', async () => {
    const folder = await pushedFolder();
    const trust = { keys: [ci.publicKey, laptop.publicKey], need: 2 };
    const alone = await machine({ urls: [url(folder)], trust });
    await alone.realise(top);
    expect([...alone.ran].sort()).toEqual(['below', 'beside', 'top']);
    await pushTo(url(folder), laptop);
    const both = await machine({ urls: [url(folder)], trust });
    await both.realise(top);
    expect(both.ran).toEqual([]);
  });

  test('two that contradict each other, which is said with what each made', async () => {
    const folder = await pushedFolder();
    const builder = await machine({ urls: [] });
    await builder.realise(top);
    const { store, idOf, steps } = builder;
    const memo = store.records.memo(idOf(top))!;
    const claim = store.records.realisation(memo.action)!.claim;
    const wrong = store.records.memo(idOf(below))!.outputs;
    const records = [
      {
        subject: memo.derivation,
        bytes: signRecord({ kind: 'memo', memo: { ...memo, outputs: wrong } }, laptop),
      },
      {
        subject: claim.action,
        bytes: signRecord({ kind: 'claim', claim: { ...claim, outputs: wrong } }, laptop),
      },
    ];
    expect(steps(idOf(top)).derivation.name).toBe('top');
    const from = { directory: () => undefined, read: never, stream: never };
    await openCache(url(folder), { env: {} }).push({ outputs: [], records, from }, signal);
    const trust = { keys: [ci.publicKey, laptop.publicKey], need: 1 };
    const other = await machine({ urls: [url(folder)], trust });
    expect(await other.realise(top)).toBe(true);
    expect(other.ran).toEqual(['top']);
    expect(other.notices[0]).toMatch(/^not reproducible: .* ci made out [0-9a-f]{64}\/\d+; laptop made out /);
  });
});

describe('a cache that is', () => {
  const flip = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes);
    for (let at = 20; at < copy.length; at += 40) copy[at]! ^= 0x40;
    return copy;
  };
  test.each<[string, string, (bytes: Buffer) => Buffer | undefined]>([
    ['truncated in its packs', 'packs', (bytes) => bytes.subarray(0, bytes.length - 9)],
    ['without its packs', 'packs', () => undefined],
    ['altered in its packs', 'packs', flip],
    ['altered in its lists', 'content', flip],
    ['without its lists', 'content', () => undefined],
    ['altered in its records', 'records', flip],
    ['without its records', 'records', () => undefined],
    ['altered in its index', 'index', () => Buffer.from('not an index\n'.repeat(100))],
    ['of another version', '.', (bytes) => Buffer.concat([bytes, Buffer.from('2')])],
  ])('%s costs the work and nothing else', async (_, part, change) => {
    const folder = await pushedFolder();
    for (const name of readdirSync(join(folder, part), { withFileTypes: true })) {
      if (!name.isFile()) continue;
      const path = join(folder, part, name.name);
      const changed = change(readFileSync(path));
      if (changed === undefined) rmSync(path);
      else writeFileSync(path, changed);
    }
    const other = await machine({ urls: [url(folder)] });
    expect(await other.realise(top)).toBe(true);
    expect(await contentOf(other, top)).toBe('top');
    expect(other.ran).toContain('top');
    expect((await (await other.store.maintenance()).verify()).damages).toEqual([]);
  });

  test('lying about what is in a pack is not believed', async () => {
    const folder = await pushedFolder();
    // Another's packs under these names: all whole, and all of something else.
    const graph = command('other', command('else'));
    const liar = await pushedFolder(ci, graph);
    const [names, lies] = [folder, liar].map((each) => readdirSync(join(each, 'packs'))) as [
      string[],
      string[],
    ];
    for (const name of names)
      writeFileSync(join(folder, 'packs', name), readFileSync(join(liar, 'packs', lies[0]!)));
    const other = await machine({ urls: [url(folder)] });
    expect(await other.realise(top)).toBe(true);
    expect([...other.ran].sort()).toEqual(['below', 'beside', 'top']);
    expect(other.notices.filter((text) => text.includes('is not asked any more'))).toHaveLength(1);
  });

  test('gone while it gives costs the work, and a second one that has it is asked', async () => {
    const folder = await pushedFolder();
    const dying = await serveCache(folder, {
      instead: (request, response) => {
        if (request.url?.startsWith('/packs/') !== true) return false;
        response.writeHead(200, { 'content-length': 100_000 });
        response.write('half');
        setImmediate(() => response.destroy());
        return true;
      },
    });
    const alone = await machine({ urls: [dying.base] });
    expect(await alone.realise(top)).toBe(true);
    expect(alone.ran).toContain('top');
    const both = await machine({ urls: [dying.base, url(folder)] });
    expect(await both.realise(top)).toBe(true);
    expect(both.ran).toEqual([]);
    expect(both.notices).toEqual([expect.stringContaining(`${dying.base}/ is not asked any more`)]);
  });

  test('dead or silent is asked once, and said to be', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const dead = await serveCache(tempFolder('dead'));
    await dead.close();
    const urls = [`http://127.0.0.1:${port}`, dead.base, url(await pushedFolder())];
    const other = await machine({ urls });
    expect(await other.realise(top)).toBe(true);
    expect(other.ran).toEqual([]);
    expect(other.notices).toEqual([
      expect.stringContaining('no answer for 1 s'),
      expect.stringContaining('ECONNREFUSED'),
    ]);
  });

  test('is not waited for again by builds of the same minute, and asked by those that begin later', async () => {
    const folder = await pushedFolder();
    let [isDown, questions] = [true, 0];
    const flapping = await serveCache(folder, {
      instead: (_, response) => {
        questions++;
        if (isDown) response.writeHead(500).end();
        return isDown;
      },
    });
    const now = vi.spyOn(performance, 'now');
    onTestFinished(() => now.mockRestore());
    const other = await machine({ urls: [flapping.base] });
    const plan = async (): Promise<string[]> => {
      const plan = await other.begin().plan([other.idOf(top)]);
      return plannedSteps(plan).flatMap(({ step, decision }) =>
        step.name === 'top' ? [`${decision} ${step.name}`] : [],
      );
    };
    expect(await plan()).toEqual(['build top']);
    const before = questions;
    isDown = false;
    expect([await plan(), questions]).toEqual([['build top'], before]);
    const laterMs = performance.now() + 61_000;
    now.mockImplementation(() => laterMs);
    expect(await plan()).toEqual(['substitute top']);
    expect(other.notices).toHaveLength(1);
  });

  test('and one that was empty has for the next build what others have brought meanwhile', async () => {
    const folder = tempFolder('cache');
    const other = await machine({ urls: [url(folder)] });
    const decision = async (): Promise<string | undefined> =>
      plannedSteps(await other.begin().plan([other.idOf(top)])).find(({ step }) => step.name === 'top')
        ?.decision;
    expect(await decision()).toBe('build');
    await pushTo(url(folder), ci, beside);
    expect(await decision()).toBe('build');
    await pushTo(url(folder), ci);
    expect(await decision()).toBe('substitute');
  });

  test('full says so to who pushes, and has nothing half', async () => {
    const folder = tempFolder('cache');
    let room = 2;
    const full = await serveCache(folder, {
      instead: (request, response) => {
        if (request.method !== 'PUT' || room-- > 0) return false;
        request.resume();
        response.writeHead(507).end();
        return true;
      },
    });
    await expect(pushTo(full.base, ci)).rejects.toMatchObject({
      code: 'CACHE_FAILED',
      message: expect.stringMatching(/it is full/) as string,
    });
    const other = await machine({ urls: [url(folder)] });
    expect(await other.realise(top)).toBe(true);
    expect([...other.ran].sort()).toEqual(['below', 'beside', 'top']);
    expect(other.notices).toEqual([]);
  });
});

describe('what was made incrementally and is not proven', () => {
  test('is not pushed, nor what was made of it', async () => {
    const builder = await machine({ urls: [] });
    await builder.realise(top);
    const { store, steps: sound, idOf } = builder;
    const memo = store.records.memo(idOf(below))!;
    const realisation = store.records.realisation(memo.action)!;
    const facts = { ...realisation.facts, incremental: true };
    await store.records.update((records) => records.putRealisation({ ...realisation, facts }));
    // Its derivation says that it may be.
    const steps: typeof sound = (id) => {
      const step = sound(id);
      if (id !== idOf(below) || step.derivation.kind !== 'run') return step;
      return {
        ...step,
        derivation: { ...step.derivation, incremental: { folders: ['objects'], sources: [] } },
      };
    };
    const folder = tempFolder('cache');
    const cache = openCache(url(folder), { env: {} });
    const report = await pushSteps([idOf(top)], { store, steps, cache, key: ci, signal });
    expect(report.unproven.map(({ derivation }) => derivation.name)).toEqual(['top']);
    expect(report.steps.map(({ derivation }) => derivation.name)).toEqual(['beside']);
  });
});

test('a pack with what no pack has is refused', async () => {
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    await Promise.resolve();
    yield Buffer.alloc(4096, 'x');
  };
  await expect(decodePack(bytes()).next()).rejects.toThrow('not in pieces that cairn knows');
});

function never(): never {
  throw new Error('nothing is read');
}

test('what is sooner made again than moved stays here, unless it was named, and is told', async () => {
  const builder = await machine({ urls: [] });
  await builder.realise(top);
  const { store, steps, idOf } = builder;
  const realisation = store.records.realisation(store.records.memo(idOf(below))!.action)!;
  const facts = { ...realisation.facts, durationMs: 2000, sizeBytes: 300_000_000 };
  await store.records.update((records) => records.putRealisation({ ...realisation, facts }));
  const push = async (wanted: Derivation): Promise<[string[], string[]]> => {
    const cache = openCache(url(tempFolder('cache')), { env: {} });
    const report = await pushSteps([idOf(wanted)], { store, steps, cache, key: ci, signal });
    const names = (all: readonly Step[]): string[] => all.map(({ derivation }) => derivation.name);
    return [names(report.steps), names(report.cheaper.map(({ step }) => step))];
  };
  expect(await push(top)).toEqual([['beside', 'top'], ['below']]);
  expect(await push(below)).toEqual([['below'], []]);
});

describe('a cache that is looked at', () => {
  const verify = (folder: string): Promise<CacheReport> =>
    openCache(url(folder), { env: {} }).upkeep!.verify(signal);
  /** Changes every file below a part of the cache; undefined takes it away. */
  const change = (folder: string, part: string, to: (bytes: Buffer) => Buffer | undefined): void => {
    for (const name of readdirSync(join(folder, part))) {
      const path = join(folder, part, name);
      const bytes = to(readFileSync(path));
      if (bytes === undefined) rmSync(path);
      else writeFileSync(path, bytes);
    }
  };
  const flip = (bytes: Buffer): Buffer => {
    bytes[bytes.length >> 1]! ^= 1;
    return bytes;
  };

  test('is sound as it was pushed, and what a broken push left is told apart from damage', async () => {
    const folder = await pushedFolder();
    expect(await verify(folder)).toMatchObject({
      records: 6,
      outputs: 3,
      contents: 6,
      damages: [],
      leftovers: [],
    });
    writeFileSync(join(folder, 'packs', 'abc.part'), 'half');
    expect(await verify(folder)).toMatchObject({ damages: [], leftovers: ['packs/abc.part'] });
  });

  test.each<[string, string, (bytes: Buffer) => Buffer | undefined]>([
    ['an altered pack', 'packs', flip],
    ['a pack that is gone', 'packs', () => undefined],
    ['a pack cut short', 'packs', (bytes) => bytes.subarray(0, bytes.length - 5)],
    ['an altered list', 'content', flip],
    ['a list that is gone', 'content', () => undefined],
  ])('%s is found, and mended from the store of who has built it', async (_, part, to) => {
    const builder = await machine({ urls: [] });
    await builder.realise(top);
    const { store, steps, idOf } = builder;
    const folder = tempFolder('cache');
    const cache = openCache(url(folder), { env: {} });
    await pushSteps([idOf(top)], { store, steps, cache, key: ci, signal });
    change(folder, part, to);
    const report = await verify(folder);
    expect(report.damages.map(({ name }) => name.split('/')[0])).toContain(part);
    const mended = await mendCache(report, { cache: openCache(url(folder), { env: {} }), store, signal });
    expect([mended.outputs, mended.left]).toEqual([3, []]);
    expect((await verify(folder)).damages).toEqual([]);
    const other = await machine({ urls: [url(folder)] });
    expect(await other.realise(top)).toBe(true);
    expect(other.ran).toEqual([]);
  });

  test('what stayed with workers comes from there first, and is named with its place where it does not', async () => {
    const builder = await machine({ urls: [] });
    await builder.realise(top);
    const { store, idOf } = builder;
    const server = await ReapiServer.start();
    const keeper = await openStore(join(tempFolder('keeper'), 'store'));
    onTestFinished(() => keeper.close());
    const batch = keeper.begin();
    for (const each of [top, below, beside]) {
      const { out } = store.records.memo(idOf(each))!.outputs as { readonly out: TreeNode };
      batch.addDirectory(store.trees.get(out.digest)!);
      for (const { digest } of contentBelow([out], (tree) => store.trees.get(tree))) {
        server.blobs.set(digestHash(digest), await store.blobs.read(digest));
        batch.leave(digest, server.url);
      }
    }
    await batch.commit();

    const mendedFrom = async (workers?: string) => {
      const folder = await pushedFolder();
      change(folder, 'packs', flip);
      const mended = await mendCache(await verify(folder), {
        ...{ cache: openCache(url(folder), { env: {} }), store: keeper, signal },
        workers: () =>
          Promise.resolve(
            workers === undefined ? undefined : openCaches({ caches: [], trust: trustCi, env: {}, workers }),
          ),
      });
      return { folder, mended };
    };
    const unasked = (await mendedFrom()).mended;
    expect([unasked.outputs, unasked.left.length > 0, unasked.stayedAt]).toEqual([0, true, [server.url]]);
    const { folder, mended } = await mendedFrom(server.url);
    expect([mended.outputs, mended.left, mended.stayedAt]).toEqual([3, [], []]);
    expect((await verify(folder)).damages).toEqual([]);
    const other = await machine({ urls: [url(folder)] });
    expect([await other.realise(top), other.ran]).toEqual([true, []]);
  });

  test('nothing leads to damage that nobody here can mend, and records that were lost can be pushed again', async () => {
    const builder = await machine({ urls: [] });
    await builder.realise(top);
    const { store, steps, idOf } = builder;
    const folder = await pushedFolder();
    const empty = await openStore(join(tempFolder('empty'), 'store'));
    onTestFinished(() => empty.close());
    change(folder, 'packs', flip);
    change(folder, 'records', flip);
    const report = await verify(folder);
    expect(report.damages.filter(({ kind }) => kind === 'records').length).toBeGreaterThan(0);
    const cache = openCache(url(folder), { env: {} });
    const mended = await mendCache(report, { cache, store: empty, signal });
    expect(mended.outputs).toBe(0);
    const left = (await verify(folder)).damages;
    expect(left.filter((damage) => damage.kind !== 'content' || damage.problem !== 'it is gone')).toEqual([]);
    await pushSteps([idOf(top)], {
      store,
      steps,
      cache: openCache(url(folder), { env: {} }),
      key: ci,
      signal,
    });
    expect(await verify(folder)).toMatchObject({ records: 6, damages: [] });
  });

  test('a record whose signature is forged is told of', async () => {
    const folder = await pushedFolder();
    const builder = await machine({ urls: [] });
    await builder.realise(top);
    const claim = builder.store.records.realisation(
      builder.store.records.memo(builder.idOf(top))!.action,
    )!.claim;
    const signed = decodeSignedRecord(signRecord({ kind: 'claim', claim }, laptop))!;
    const bytes = encodeSignedRecord({ ...signed, key: ci.publicKey.bytes });
    const from = { directory: () => undefined, read: never, stream: never };
    await openCache(url(folder), { env: {} }).push(
      { outputs: [], records: [{ subject: claim.action, bytes }], from },
      signal,
    );
    expect((await verify(folder)).damages).toMatchObject([
      { kind: 'records', records: [expect.any(String)] },
    ]);
  });
});

describe('what a trusted other has made otherwise', () => {
  test('is told when it is pushed, with both results and the files that differ; what was made here stays', async () => {
    const builder = await machine({ urls: [] });
    await builder.realise(top);
    const { store, steps, idOf } = builder;
    const claim = store.records.realisation(store.records.memo(idOf(below))!.action)!.claim;
    const file: Node = { kind: 'blob', digest: digestOf(Buffer.from('otherwise')), executable: false };
    const directory = new Map([['below', file]]);
    const other: Node = { kind: 'tree', digest: digestOf(encodeDirectory(directory)) };
    const bytes = signRecord({ kind: 'claim', claim: { ...claim, outputs: { out: other } } }, laptop);
    const folder = tempFolder('cache');
    const cache = openCache(url(folder), { env: {} });
    const from = {
      directory: () => directory,
      read: () => Promise.resolve(Buffer.from('otherwise')),
      stream: never,
    };
    const outputs = [{ top: other, name: 'theirs' }];
    await cache.push({ outputs, records: [{ subject: claim.action, bytes }], from }, signal);
    const push = (trust: Trust): ReturnType<typeof pushSteps> =>
      pushSteps([idOf(top)], { store, steps, cache, key: ci, against: { cache, trust }, signal });
    expect((await push(trustCi)).conflicts).toEqual([]);
    const { conflicts } = await push({ keys: [ci.publicKey, laptop.publicKey], need: 1 });
    expect(conflicts).toMatchObject([
      { output: 'out', here: claim.outputs['out'], there: other, signers: ['laptop'] },
    ]);
    expect(conflicts[0]!.paths!.map(({ path }) => path)).toEqual(['below']);
    expect(store.records.memo(idOf(below))!.outputs).toEqual(claim.outputs);
  });
});

describe('of two keys that say the same, one does not count when it may only have believed the other:', () => {
  const trust = { keys: [ci.publicKey, laptop.publicKey], need: 2 };
  // Another derivation, which gives the same: what needs it is another derivation of the same action.
  const remarked = run({ name: 'below', layers: [], argv: ['/bin/build', 'remarked'] });
  const again = command('top', remarked, beside);

  async function push({ store, steps, idOf }: Machine, folder: string, pushed: Derivation): Promise<void> {
    const cache = openCache(url(folder), { env: {} });
    await pushSteps([idOf(pushed)], { store, steps, cache, key: laptop, signal });
  }

  test('what a step comes to was heard, and the content was here', async () => {
    const folder = tempFolder('cache');
    const hearing = await machine({ urls: [url(folder)], graph: command('all', top, again) });
    await hearing.realise(top);
    expect(hearing.ran).toHaveLength(3);
    await pushTo(url(folder), ci, again);
    expect((await hearing.begin().realise([hearing.idOf(again)])).ok).toBe(true);
    expect(hearing.ran).toHaveLength(3);
    expect(hearing.store.records.signed(hearing.idOf(again))).toHaveLength(2);
    await push(hearing, folder, again);
    const other = await machine({ urls: [url(folder)], trust, graph: again });
    await other.realise(again);
    expect(other.ran).toEqual(['below']);
  });

  test('what a step is made from was taken', async () => {
    const folder = await pushedFolder(ci, command('another', below, beside));
    const taking = await machine({ urls: [url(folder)] });
    await taking.realise(top);
    expect(taking.ran).toEqual(['top']);
    await push(taking, folder, top);
    const trusting = await machine({ urls: [url(folder)], trust: { keys: [laptop.publicKey], need: 1 } });
    await trusting.realise(top);
    expect(trusting.ran).toEqual([]);
    await pushTo(url(folder), ci);
    const other = await machine({ urls: [url(folder)], trust });
    await other.realise(top);
    expect(other.ran.sort()).toEqual(['below', 'beside']);
  });
});

test("what a second build here gave as well is this machine's own: its claim is the second of two", async () => {
  const folder = await pushedFolder();
  const both = { keys: [ci.publicKey, laptop.publicKey], need: 2 };
  const checking = await machine({ urls: [url(folder)] });
  const all = [below, beside, top];
  for (const one of all) await checking.realise(one);
  expect(checking.ran).toEqual([]);
  const { store, steps, idOf } = checking;
  const push = (): ReturnType<typeof pushSteps> =>
    pushSteps([idOf(top)], { store, steps, cache: openCache(url(folder), { env: {} }), key: laptop, signal });
  // What was only taken is handed on, and not vouched for.
  await push();
  const before = await machine({ urls: [url(folder)], trust: both });
  await before.realise(top);
  expect([...before.ran].sort()).toEqual(['below', 'beside', 'top']);
  const results = all.map((one): CheckResult => {
    const id = idOf(one);
    return { kind: 'identical', step: steps(id), outputs: store.records.memo(id)!.outputs, durationMs: 5 };
  });
  expect((await ownIdentical(results, store, 'here')).length).toBe(3);
  await push();
  const after = await machine({ urls: [url(folder)], trust: both });
  await after.realise(top);
  expect(after.ran).toEqual([]);
});
