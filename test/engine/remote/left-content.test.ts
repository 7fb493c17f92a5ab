// Files that stay with a server's workers until something here needs them (engine/README.md, Workers elsewhere): graphs of real steps
// on a real buildbox-casd and on this machine, and what becomes of them when the server is gone, or has thrown files away.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { Build } from '../../../engine/build.ts';
import { openCaches } from '../../../engine/caches/open-caches.ts';
import { openCache, pushSteps } from '../../../engine/caches/index.ts';
import type { Event, Outcome } from '../../../engine/events.ts';
import { createLocalExecutor } from '../../../engine/execute/local.ts';
import type { BuildRequest, Executor, ExecutorOffer } from '../../../engine/execute/executor.ts';
import { from, run, type Derivation, type Input } from '../../../engine/model/derivation.ts';
import { compose } from '../../../engine/model/derivation.ts';
import { plannedSteps } from '../../../engine/plan/planner.ts';
import type { StepSource } from '../../../engine/step.ts';
import { Workshop } from '../../../engine/workshop.ts';
import { digestHash, digestOf, type Digest } from '../../../store/base/digest.ts';
import { removeTree } from '../../../store/base/remove-tree.ts';
import { generateSigningKey, openStore, type Node, type Store } from '../../../store/index.ts';
import { unpackBuildbox } from '../../support/buildbox.ts';
import type { CasServer } from '../../support/cas-server.ts';
import { frontBefore } from '../../support/grpc-front.ts';
import { noSources } from '../../support/played-commands.ts';
import { sandboxFixture, type SandboxFixture } from '../../support/sandbox-fixture.ts';
import { literalOf } from '../../support/sandbox-run.ts';
import { command, stepSource } from '../../support/steps.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { remoteExecutor, startWorkers } from '../../support/worker-server.ts';
import { usualPace } from '../../../engine/schedule/pace.ts';

const folder = mkdtempSync(join(tmpdir(), 'cairn-left-'));
let fixture: SandboxFixture;
let server: CasServer | undefined;
let why = 'not started';

beforeAll(async () => {
  fixture = await sandboxFixture();
  const buildbox = await unpackBuildbox(folder);
  if (typeof buildbox === 'string') why = buildbox;
  else
    server = await startWorkers(buildbox, 'in a folder', {
      folder: join(folder, 'server'),
      toolFolder: fixture.toolFolder,
    });
});
beforeEach(({ skip }) => {
  if (server === undefined) skip(why);
});
afterAll(async () => {
  await server?.stop();
  await fixture.close();
  removeTree(folder);
});

/** A store that has the root that steps are run in, and the tool for their sandboxes, and nothing else. */
async function freshStore(): Promise<SandboxFixture> {
  const store = await openStore(join(tempFolder('left'), 'store'));
  onTestFinished(() => store.close());
  const batch = store.begin();
  await copy({ kind: 'tree', digest: fixture.root }, batch);
  await copy({ kind: 'tree', digest: await fixture.toolTree() }, batch);
  await batch.commit();
  return { ...fixture, store };
}

async function copy(node: Node, batch: ReturnType<Store['begin']>): Promise<void> {
  if (node.kind === 'symlink') return;
  if (node.kind === 'blob') {
    batch.addBytes(await fixture.store.blobs.read(node.digest), node.executable);
    return;
  }
  const directory = fixture.store.trees.get(node.digest)!;
  for (const child of directory.values()) await copy(child, batch);
  batch.addDirectory(directory);
}

/** Stands for the root: its output is recorded. */
const root = command('root');

function step(
  name: string,
  script: string,
  { needs = {}, remote = true }: { needs?: Record<string, Input | Derivation>; remote?: boolean } = {},
): Derivation {
  const argv = ['/bin/sh', '-euc', script];
  return run({ name, layers: [root], inputs: needs, argv, remote });
}

interface Rig {
  readonly build: Build;
  readonly steps: StepSource;
  readonly ids: (...derivations: Derivation[]) => ReturnType<ReturnType<typeof stepSource>['idOf']>[];
  /** What was run, and where: `low at workers`. */
  readonly ran: string[];
  readonly notices: string[];
  readonly outcomes: Map<string, Outcome>;
}

interface RigOptions {
  /** Of the server; undefined: there is none. */
  readonly url?: string | undefined;
  /** Where content is asked for, when not there. */
  readonly workers?: string | undefined;
  readonly before?: (request: BuildRequest) => void;
  /** Both places may have a step: the one where its end is expected first. */
  readonly isShared?: boolean;
}

async function rig(
  here: SandboxFixture,
  tops: readonly Derivation[],
  { url, workers = url, before, isShared = false }: RigOptions,
): Promise<Rig> {
  const { store } = here;
  const { steps, idOf } = stepSource(...tops);
  const [ran, notices, outcomes] = [[] as string[], [] as string[], new Map<string, Outcome>()];
  await store.records.update((records) => {
    const outputs = { out: { kind: 'tree', digest: fixture.root } as const };
    records.putMemo({ derivation: idOf(root), action: digestOf(Buffer.from('root')), outputs });
  });
  const noting = (executor: Executor, place: string): Executor => ({
    keepsFolders: false,
    buildersCpuMs: () => executor.buildersCpuMs(),
    close: () => executor.close(),
    execute: (request, options) => {
      before?.(request);
      ran.push(`${request.name} ${place}`);
      return executor.execute(request, options);
    },
  });
  const offer = (place: 'here' | 'away', open: () => Promise<Executor>): ExecutorOffer => ({
    pool: `run:${place}`,
    platforms: ['x86_64-linux'],
    slots: 2,
    ...{ isHere: place === 'here', pace: usualPace, coresOf: () => 1 },
    isKnownThere: (tree) => tree === fixture.root,
    open: async () => noting(await open(), place),
  });
  const local = offer('here', () => createLocalExecutor({ store, tool: here.tool }));
  const away = url === undefined ? [] : [offer('away', () => remoteExecutor(here, url, 'in a folder'))];
  const workshop = new Workshop({
    store,
    capacities: new Map([['inline', 4]]),
    executors: [...away, local],
    overflows: isShared,
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    unpack: () => Promise.reject(new Error('nothing is unpacked')),
    elsewhere:
      workers === undefined
        ? undefined
        : openCaches({ caches: [], trust: { keys: [], need: 1 }, env: {}, workers }),
    close: () => Promise.resolve(),
  });
  onTestFinished(() => workshop.close());
  const emit = (event: Event): void => {
    if (event.type === 'notice') notices.push(event.message);
    if (event.type === 'step-finished') outcomes.set(event.step.name, event.outcome);
  };
  const { signal } = new AbortController();
  const build = new Build(workshop, { steps, sandbox: undefined, sources: noSources, emit, signal });
  return { build, steps, ran, notices, outcomes, ids: (...derivations) => derivations.map(idOf) };
}

const digest = (text: string): Digest => digestOf(Buffer.from(text));

/** What a server does when it needs the room. */
function evict(blob: Digest): void {
  const hash = digestHash(blob);
  rmSync(join(folder, 'server/cache/cas/objects', hash.slice(0, 2), hash.slice(2)));
}

async function realised({ build, ids, ...others }: Rig, wanted: Derivation, { store }: SandboxFixture) {
  const report = await build.realise(ids(wanted));
  if (!report.ok) throw new Error(JSON.stringify([...others.outcomes], undefined, 1));
  return literalOf(store, report.outputs.get(ids(wanted)[0]!)!['out']!);
}

// 400 kB that nobody needs here, and a line.
const half = 'a23456789'.repeat(20_000);
const bulk = `${half}\n${half}\n`;
const low = step(
  'low',
  `i=0; line=a23456789; while [ $i -lt 4 ]; do line=$line$line$line$line$line$line$line$line$line$line; i=$((i+1)); done; echo $line$line > $out/bulk; echo $line$line >> $out/bulk; echo low > $out/text; mkdir $out/sub; echo sub > $out/sub/text`,
);
const middle = step(
  'middle',
  'cat /low/text /low/sub/text > $out/text; cat /low/bulk > $out/bulk; echo middle >> $out/bulk',
  {
    needs: { '/low': low },
  },
);
const top = step('top', 'cat /middle/text > $out/text; wc -c < /middle/bulk > $out/size', {
  needs: { '/middle': middle },
});
const expected = { text: 'low\nsub\n', size: `${bulk.length + 7}\n` };

test('what steps elsewhere make of each other stays there, and what is wanted comes whole', async () => {
  const here = await freshStore();
  let readBytes = 0;
  const front = await frontBefore(
    { path: server!.socket },
    {
      meddle: (path) =>
        /\/(BatchReadBlobs|Read)$/.test(path)
          ? { answer: (bytes) => ((readBytes += bytes.length), bytes) }
          : undefined,
    },
  );
  const url = `grpc://127.0.0.1:${front.port}`;
  const away = await rig(here, [top], { url });
  expect(await realised(away, top, here)).toEqual(expected);
  expect(away.ran).toEqual(['low away', 'middle away', 'top away']);
  const { blobs, left } = here.store;
  const there = [bulk, `${bulk}middle\n`, 'low\n'].map(digest);
  expect(there.map((blob) => [blobs.has(blob), left.placeOf(blob)])).toEqual(there.map(() => [false, url]));
  expect(readBytes).toBeLessThan(20_000);
  expect(away.outcomes.get('low')).toMatchObject({
    kind: 'built',
    remote: { left: { files: 3, sizeBytes: bulk.length + 8 } },
  });
  expect(away.outcomes.get('top')).toMatchObject({ remote: { left: { files: 0 } } });
  const alone = await freshStore();
  const local = await rig(alone, [top], {});
  expect(await realised(local, top, alone)).toEqual(expected);
  const outputs = (one: Rig) => one.ids(low, middle, top).map((id) => one.build.outputsOf(id));
  expect(outputs(away)).toEqual(outputs(local));
  // Nothing is done again, and nothing comes, as long as nothing needs it.
  const again = await rig(here, [top], { url });
  expect(await realised(again, top, here)).toEqual(expected);
  expect([again.ran, blobs.has(digest(bulk))]).toEqual([[], false]);
});

test('a step that is done here gets what it is made from, and no more than that', async () => {
  const here = await freshStore();
  const between = step('between', 'cat /in/text > $out/text', {
    needs: { '/in': from(low, { subpath: 'sub' }) },
    remote: false,
  });
  const last = step('last', 'cat /between/text /low/text > $out/text', {
    needs: { '/between': between, '/low': low },
  });
  const away = await rig(here, [last], { url: server!.url });
  expect(await realised(away, last, here)).toEqual({ text: 'sub\nlow\n' });
  expect(away.ran).toEqual(['low away', 'between here', 'last away']);
  const { blobs, left } = here.store;
  expect([digest('sub\n'), digest(bulk)].map((blob) => [blobs.has(blob), left.has(blob)])).toEqual([
    [true, false],
    [false, true],
  ]);
});

test('where both may have a step, it is done where its content is', async () => {
  const here = await freshStore();
  const madeThere = step('made-there', 'cat /low/bulk > $out/bulk', { needs: { '/low': low } });
  const madeHere = step('made-here', `echo ${'b'.repeat(100_000)} > $out/bulk`, { remote: false });
  const count = (name: string, of: Derivation): Derivation =>
    step(name, `: ${name}; wc -c < /of/bulk > $out/size`, { needs: { '/of': of } });
  const first = compose({
    name: 'first',
    parts: [
      { input: count('before-there', madeThere), at: 'there' },
      { input: count('before-here', madeHere), at: 'here' },
    ],
  });
  await realised(await rig(here, [first], { url: server!.url }), first, here);
  expect(here.store.left.has(digest(bulk))).toBe(true);
  const all = compose({
    name: 'all',
    parts: [
      { input: count('after-there', madeThere), at: 'there' },
      { input: count('after-here', madeHere), at: 'here' },
    ],
  });
  const shared = await rig(here, [all], { url: server!.url, isShared: true });
  const sizes = { there: { size: `${bulk.length}\n` }, here: { size: '100001\n' } };
  expect(await realised(shared, all, here)).toEqual(sizes);
  expect(shared.ran.sort()).toEqual(['after-here here', 'after-there away']);
});

test('compositions need no bytes, and one that is wanted comes whole', async () => {
  const here = await freshStore();
  const composed = compose({
    name: 'composed',
    parts: [
      { input: low, at: 'in' },
      { input: from(middle, { subpath: 'text' }), at: 'text' },
    ],
  });
  const more = step('more', 'cp /all/text $out', { needs: { '/all': composed } });
  const away = await rig(here, [more, composed], { url: server!.url });
  expect(await realised(away, more, here)).toEqual({ text: 'low\nsub\n' });
  expect(here.store.blobs.has(digest(bulk))).toBe(false);
  expect(await realised(away, composed, here)).toMatchObject({ in: { bulk }, text: 'low\nsub\n' });
  expect(away.ran).toEqual(['low away', 'middle away', 'more away']);
});

test('what the server throws away between two steps is made again, and comes along', async () => {
  const here = await freshStore();
  let isFirst = true;
  const away = await rig(here, [top], {
    url: server!.url,
    before: ({ name }) => {
      if (name === 'top' && isFirst) evict(digest(`${bulk}middle\n`));
      if (name === 'top') isFirst = false;
    },
  });
  expect(await realised(away, top, here)).toEqual(expected);
  expect(away.ran).toEqual(['low away', 'middle away', 'top away', 'middle away', 'top away']);
  expect(away.notices).toEqual([
    expect.stringMatching(/^content of middle stayed at .*: building it again$/),
  ]);
  expect(here.store.blobs.has(digest(`${bulk}middle\n`))).toBe(true);
  expect(here.store.blobs.has(digest(bulk))).toBe(false);
});

test('what the server has thrown away since is planned to be made again, for steps there and here', async () => {
  for (const remote of [true, false]) {
    const here = await freshStore();
    await realised(await rig(here, [top], { url: server!.url }), top, here);
    evict(digest(bulk));
    const other = step('other', 'wc -c < /low/bulk > $out/size', { needs: { '/low': low }, remote });
    const away = await rig(here, [other], { url: server!.url });
    const planned = plannedSteps(await away.build.plan(away.ids(other)));
    expect(planned.map(({ step: { name }, decision }) => [name, decision])).toEqual([
      ['root', 'up-to-date'],
      ['low', 'build'],
      ['other', 'build'],
    ]);
    expect(await realised(away, other, here)).toEqual({ size: `${bulk.length}\n` });
    expect(away.ran).toEqual(['low away', `other ${remote ? 'away' : 'here'}`]);
  }
});

test('without the server all that stayed there is made again here, and is the same', async () => {
  const here = await freshStore();
  const away = await rig(here, [top], { url: server!.url });
  await realised(away, top, here);
  const alone = await rig(here, [top], {});
  // What is wanted is here.
  expect(await realised(alone, top, here)).toEqual(expected);
  expect(alone.ran).toEqual([]);
  const other = step('other', 'cat /low/text > $out/text; wc -c < /middle/bulk > $out/size', {
    needs: { '/low': low, '/middle': middle },
  });
  const changed = await rig(here, [other], {});
  const planned = plannedSteps(await changed.build.plan(changed.ids(other)));
  expect(planned.filter(({ decision }) => decision === 'build').map(({ step: { name } }) => name)).toEqual([
    ...['low', 'middle', 'other'],
  ]);
  expect(await realised(changed, other, here)).toEqual({ text: 'low\n', size: expected.size });
  expect(changed.ran).toEqual(['low here', 'middle here', 'other here']);
  expect(here.store.left.any()).toBe(false);
});

test('who reads what stayed there gets it from there, and only that; else it is made again', async () => {
  const here = await freshStore();
  await realised(await rig(here, [top], { url: server!.url }), top, here);
  const { blobs, left } = here.store;
  const file = (text: string): Node => ({ kind: 'blob', digest: digest(text), executable: false });
  const reading = await rig(here, [top], { workers: server!.url });
  const [id] = reading.ids(low);
  expect(reading.build.outputsOf(id!)).toBeDefined();
  const read = ({ build }: Rig, text: string): Promise<Uint8Array> =>
    build.whole([id!], () => blobs.read(digest(text)), [file(text)]);
  expect(Buffer.from(await read(reading, 'sub\n')).toString()).toBe('sub\n');
  expect([blobs.has(digest('sub\n')), left.has(digest(bulk))]).toEqual([true, true]);
  const alone = await rig(here, [top], {});
  expect(alone.build.outputsOf(id!)).toEqual(reading.build.outputsOf(id!));
  expect(Buffer.from(await read(alone, bulk)).toString()).toBe(bulk);
  expect([reading.ran, alone.ran, left.has(digest(bulk))]).toEqual([[], ['low here'], false]);
});

test('what is brought to a cache comes from there first', async () => {
  const here = await freshStore();
  const away = await rig(here, [top], { url: server!.url });
  await realised(away, top, here);
  const { build, steps, ids } = away;
  const pushed = async (bringLeft?: Build['bringLeft']): Promise<string[]> => {
    const cache = openCache(pathToFileURL(tempFolder('cache')).href, { env: {} });
    const { signal } = new AbortController();
    const report = await pushSteps(ids(top), {
      ...{ store: here.store, steps, cache, signal, key: generateSigningKey('ci') },
      ...(bringLeft && { bringLeft }),
    });
    return report.steps.map(({ derivation }) => derivation.name).sort();
  };
  expect(await pushed()).toEqual(['top']);
  expect(await pushed((wanted) => build.bringLeft(wanted))).toEqual(['low', 'middle', 'top']);
  expect([here.store.left.any(), away.ran.length]).toEqual([false, 3]);
});

test('a store with such results is whole for who verifies it, and has no part of them when nothing keeps them', async () => {
  const here = await freshStore();
  const away = await rig(here, [top], { url: server!.url });
  await realised(away, top, here);
  const maintenance = await here.store.maintenance();
  const { damages, left } = await maintenance.verify();
  const { url } = server!;
  const all = { files: 4, sizeBytes: 2 * bulk.length + 7 + 4 + 4 };
  expect([damages, left]).toEqual([[], [{ place: url, ...all }]]);
  expect((await maintenance.usage()).left).toEqual(left);
  // What was here and is not any more is damage all the same.
  rmSync(await here.store.blobs.path(digest(expected.text), false));
  const lost = await maintenance.verify();
  expect(lost.damages).toEqual([expect.objectContaining({ kind: 'missing' })]);
  await maintenance.setAside(lost.damages);
  const mended = await rig(here, [top], { url });
  expect(await realised(mended, top, here)).toEqual(expected);
  expect((await maintenance.verify()).damages).toEqual([]);
});
