// Content that this store does not have, and another one may have: what it is asked, what comes, and what happens when it
// cannot be relied on. Commands are played, so that it is known which were run.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Build } from '../../engine/build.ts';
import { ContentElsewhere } from '../../engine/content-elsewhere.ts';
import type { ContentSource } from '../../engine/content-source.ts';
import type { BuildRequest } from '../../engine/execute/executor.ts';
import type { Event } from '../../engine/events.ts';
import type { Derivation } from '../../engine/model/derivation.ts';
import { plannedSteps } from '../../engine/plan/planner.ts';
import { digestHash, digestOf, type Digest } from '../../store/base/digest.ts';
import { emptyTree, encodeDirectory, openStore, type Node, type Store } from '../../store/index.ts';
import { noSources, playedWorkshop, type Play } from '../support/played-commands.ts';
import { command, stepSource } from '../support/steps.ts';
import { tempFolder } from '../support/temp-folder.ts';

async function emptyStore(): Promise<Store> {
  const store = await openStore(join(tempFolder('elsewhere'), 'store'));
  onTestFinished(() => store.close());
  return store;
}

/** Another store as a source, which counts the questions it is asked. */
function sourceOf(store: Store, change: Partial<ContentSource> = {}): ContentSource & { questions: number } {
  return {
    name: 'the other store',
    questions: 0,
    memos: () => Promise.resolve(new Map()),
    claims: () => Promise.resolve(new Map()),
    below: () => Promise.resolve(undefined),
    begin: () => undefined,
    contradictions: () => [],
    notices: () => [],
    has(digests) {
      this.questions++;
      const has = (digest: Digest): boolean =>
        store.blobs.has(digest) || store.trees.get(digest) !== undefined;
      return Promise.resolve(new Set([...digests].filter(has)));
    },
    async read(digests, take) {
      for (const digest of digests) {
        const directory = store.trees.get(digest);
        await take(
          digest,
          chunksOf(directory === undefined ? await store.blobs.read(digest) : encodeDirectory(directory)),
        );
      }
    },
    ...change,
  };
}

async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield* chunks;
}

interface Rig {
  readonly ran: string[];
  readonly messages: string[];
  readonly build: Build;
  readonly ids: (...derivations: Derivation[]) => ReturnType<ReturnType<typeof stepSource>['idOf']>[];
}

function rig(
  store: Store,
  derivation: Derivation,
  source?: ContentSource,
  doFirst?: (request: BuildRequest) => Promise<void>,
): Rig {
  const ran: string[] = [];
  const messages: string[] = [];
  const run: Play['run'] = async (name, _, request) => {
    await doFirst?.(request);
    ran.push(name);
  };
  const workshop = playedWorkshop({ store, jobs: 1, run, ...(source && { elsewhere: source }) });
  onTestFinished(() => workshop.close());
  const { steps, idOf } = stepSource(derivation);
  const emit = (event: Event): void => {
    if (event.type === 'notice') messages.push(event.message);
  };
  const { signal } = new AbortController();
  const build = new Build(workshop, { steps, sandbox: undefined, sources: noSources, emit, signal });
  return { ran, messages, build, ids: (...derivations) => derivations.map(idOf) };
}

/** Where the store keeps a blob with these bytes. */
function blobFile({ path }: Store, text: string): string {
  const hash = digestHash(digestOf(Buffer.from(text)));
  return join(path, 'blobs', hash.slice(0, 2), hash);
}

/** Two stores in which "top", made from "below", was built; the first has lost the content of some. */
async function stores(...lost: string[]): Promise<{ here: Store; there: Store }> {
  const [here, there] = [await emptyStore(), await emptyStore()];
  for (const store of [here, there]) {
    const { build, ids, ran } = rig(store, top);
    expect((await build.realise(ids(top))).ok).toBe(true);
    expect(ran).toEqual(['below', 'top']);
  }
  for (const name of lost) rmSync(blobFile(here, name));
  return { here, there };
}

const below = command('below');
const top = command('top', below);

describe('content that is not here, and that another store has', () => {
  test('is to be had: its step is up to date, and it comes when it is read', async () => {
    const { here, there } = await stores('top');
    const source = sourceOf(there);
    const { build, ids, ran, messages } = rig(here, top, source);
    const [id] = ids(top);
    expect((await build.realise(ids(top))).outcomes.size).toBe(0);
    const folder = await build.materialise(id!);
    expect(readFileSync(join(folder, 'top'), 'utf8')).toBe('top');
    expect([ran, messages, source.questions]).toEqual([[], [], 1]);
  });

  test('comes before a step is run that needs it, and whoever made it is not run again', async () => {
    const { here, there } = await stores('below');
    const other = command('other', below);
    const { build, ids, ran } = rig(here, other, sourceOf(there), async ({ layers }) => {
      for (const layer of layers) await here.materialise(layer);
    });
    expect((await build.realise(ids(other))).ok).toBe(true);
    expect(ran).toEqual(['other']);
  });

  test('is planned as what can be had, and is asked for in one question', async () => {
    const [here, there] = [await emptyStore(), await emptyStore()];
    const blobs = Array.from({ length: 20 }, (_, at) => command(`blob-${at}`));
    const wanted = command('wanted', ...blobs);
    const { steps, idOf } = stepSource(wanted);
    const batch = there.begin();
    const outputs = new Map(
      blobs.map((one) => {
        const digest = batch.addBytes(Buffer.from(one.name));
        return [idOf(one), { out: { kind: 'blob', digest, executable: false } as const }];
      }),
    );
    await batch.commit();
    await here.records.update((records) => {
      for (const [derivation, out] of outputs)
        records.putMemo({ derivation, action: digestOf(Buffer.from(derivation)), outputs: out });
    });
    const source = sourceOf(there);
    const { build, ids } = rig(here, wanted, source);
    const decisions = plannedSteps(await build.plan(ids(wanted))).map(({ step, decision }) => [
      steps(step.id).derivation.name,
      decision,
    ]);
    expect(Object.fromEntries(decisions)).toEqual({
      wanted: 'build',
      ...Object.fromEntries(blobs.map(({ name }) => [name, 'substitute'])),
    });
    expect(source.questions).toBe(1);
    const alone = rig(here, wanted);
    expect(new Set((await alone.build.plan(ids(wanted))).toBuild.keys()).size).toBe(21);
  });

  test('comes with all that is below it', async () => {
    const [here, there] = [await emptyStore(), await emptyStore()];
    const batch = there.begin();
    const blob: Node = { kind: 'blob', digest: batch.addBytes(Buffer.from('deep'), true), executable: true };
    const inner: Node = { kind: 'tree', digest: batch.addDirectory(new Map([['deep', blob]])) };
    const outer: Node = {
      kind: 'tree',
      digest: batch.addDirectory(
        new Map<string, Node>([
          ['inner', inner],
          ['empty', emptyTree],
        ]),
      ),
    };
    await batch.commit();
    expect(await elsewhere(here, sourceOf(there)).bring({ outputs: [{ out: outer }] })).toBe(true);
    expect(readFileSync(join(await here.materialise(outer.digest), 'inner/deep'), 'utf8')).toBe('deep');
  });
});

describe('a source that is', () => {
  const bytes = (text: string) => (): AsyncIterable<Uint8Array> => chunksOf(Buffer.from(text));
  const giving =
    (content: () => AsyncIterable<Uint8Array>): ContentSource['read'] =>
    async (digests, take) => {
      for (const digest of digests) await take(digest, content());
    };
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield await Promise.resolve(Buffer.alloc(1024));
  }
  async function* broken(): AsyncGenerator<Uint8Array> {
    await Promise.reject(new Error('the line went dead'));
    yield Buffer.alloc(0);
  }

  test.each<[string, Partial<ContentSource>, RegExp | undefined]>([
    ['gone', { has: () => Promise.reject(new Error('no answer')) }, /is not asked any more: no answer/],
    ['cut off', { read: giving(broken) }, /the line went dead/],
    ['lying', { read: giving(bytes('tip')) }, /gave something else/],
    ['short of bytes', { read: giving(bytes('to')) }, /gave something else/],
    ['endless', { read: giving(endless) }, /gave more than the 3 bytes/],
    ['without what is asked for', { has: () => Promise.resolve(new Set()) }, undefined],
  ])('%s is as good as none: the step is run again, and it is said once', async (_, change, message) => {
    const { here, there } = await stores('top', 'below');
    const { build, ids, ran, messages } = rig(here, top, sourceOf(there, change));
    const [id] = ids(top);
    await build.realise(ids(top));
    const folder = await build.materialise(id!);
    expect(readFileSync(join(folder, 'top'), 'utf8')).toBe('top');
    expect(ran).toContain('top');
    const said = messages.filter((text) => !text.includes('building it again'));
    if (message === undefined) expect(said).toEqual([]);
    else expect(said).toEqual([expect.stringMatching(message)]);
    expect(
      (await (await here.maintenance()).verify()).damages.filter(({ kind }) => kind !== 'missing'),
    ).toEqual([]);
  });

  test('without part of a tree gives nothing of it', async () => {
    const [here, there] = [await emptyStore(), await emptyStore()];
    const batch = there.begin();
    const file: Node = { kind: 'blob', digest: batch.addBytes(Buffer.from('lost')), executable: false };
    const out: Node = { kind: 'tree', digest: batch.addDirectory(new Map([['file', file]])) };
    await batch.commit();
    rmSync(blobFile(there, 'lost'));
    expect(await elsewhere(here, sourceOf(there)).bring({ outputs: [{ out }] })).toBe(false);
    expect(here.trees.get(out.digest)).toBeUndefined();
  });

  test('that gives no directory for one gives nothing', async () => {
    const [here, there] = [await emptyStore(), await emptyStore()];
    const batch = there.begin();
    const digest = batch.addBytes(Buffer.from('not a directory'));
    await batch.commit();
    expect(
      await elsewhere(here, sourceOf(there)).bring({ outputs: [{ out: { kind: 'tree', digest } }] }),
    ).toBe(false);
  });
});

function elsewhere(store: Store, source: ContentSource): ContentElsewhere {
  const { signal } = new AbortController();
  return new ContentElsewhere({ store, source, signal, onNotice: () => undefined });
}
