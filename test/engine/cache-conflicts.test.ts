// What trusted others have made otherwise of the very action that was done here: what is here counts, and a build that asks them
// anything says so. Commands are played.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Build, type BuildReport } from '../../engine/build.ts';
import { Caches } from '../../engine/caches/caches.ts';
import { run, type Derivation } from '../../engine/model/derivation.ts';
import { digestOf } from '../../store/base/digest.ts';
import { openCache, signRecord } from '../../store/caches/index.ts';
import { encodeDirectory, generateSigningKey, openStore, type Node, type Store } from '../../store/index.ts';
import { serveCache } from '../support/cache-server.ts';
import { noSources, playedWorkshop } from '../support/played-commands.ts';
import { command, stepSource } from '../support/steps.ts';
import { tempFolder } from '../support/temp-folder.ts';

const laptop = generateSigningKey('laptop');
const ci = generateSigningKey('ci');
const { signal } = new AbortController();
const below = command('below');
const above = command('above', below);
/** Another derivation that comes to the same action. */
const renamed = run({ name: 'renamed', layers: [], argv: ['/bin/build', 'below'] });
const { steps, idOf } = stepSource(above, renamed);

interface Machine {
  readonly store: Store;
  readonly ran: string[];
  /** In one workshop, each with a build of its own. */
  readonly realise: (derivation: Derivation) => Promise<BuildReport>;
}

async function machine(url: string, need = 1): Promise<Machine> {
  const store = await openStore(join(tempFolder('machine'), 'store'));
  onTestFinished(() => store.close());
  const ran: string[] = [];
  const cache = openCache(url, { env: { HOME: '/nonexistent' } });
  const workshop = playedWorkshop({
    store,
    jobs: 1,
    run: async (name) => void ran.push(await Promise.resolve(name)),
    elsewhere: new Caches([{ cache, takesAnyKey: false }], { keys: [laptop.publicKey, ci.publicKey], need }),
  });
  onTestFinished(() => workshop.close());
  const wish = { steps, sandbox: undefined, sources: noSources, emit: () => undefined, signal };
  return { store, ran, realise: (derivation) => new Build(workshop, wish).realise([idOf(derivation)]) };
}

/** A place to which the laptop has pushed another result of `below`, and that `renamed` comes to it. */
async function sayOtherwise(url: string, { store }: Machine): Promise<Node> {
  const claim = store.records.realisation(store.records.memo(idOf(below))!.action)!.claim;
  const file: Node = { kind: 'blob', digest: digestOf(Buffer.from('otherwise')), executable: false };
  const directory = new Map([['below', file]]);
  const other: Node = { kind: 'tree', digest: digestOf(encodeDirectory(directory)) };
  const outputs = { out: other };
  const memo = { derivation: idOf(renamed), action: claim.action, outputs };
  await openCache(url, { env: {} }).push(
    {
      outputs: [{ top: other, name: 'theirs' }],
      records: [
        { subject: claim.action, bytes: signRecord({ kind: 'claim', claim: { ...claim, outputs } }, laptop) },
        { subject: memo.derivation, bytes: signRecord({ kind: 'memo', memo }, laptop) },
      ],
      from: {
        directory: () => directory,
        read: () => Promise.resolve(Buffer.from('otherwise')),
        stream: () => {
          throw new Error('it is small');
        },
      },
    },
    signal,
  );
  return other;
}

const outputOf = ({ store }: Machine, derivation: Derivation): Node | undefined =>
  store.records.memo(idOf(derivation))?.outputs['out'];

test('where nothing has to be asked, nobody is', async () => {
  const { base, requests } = await serveCache(tempFolder('cache'));
  const own = await machine(base);
  await own.realise(above);
  await sayOtherwise(base, own);
  const before = requests.length;
  expect(await own.realise(above)).toMatchObject({ ok: true, conflicts: [] });
  expect(requests.length).toBe(before);
});

test('what is new and made of it is built of what is here, and the difference is told, file by file', async () => {
  const url = pathToFileURL(tempFolder('cache')).href;
  const own = await machine(url);
  await own.realise(below);
  const here = outputOf(own, below);
  const there = await sayOtherwise(url, own);
  const { ok, conflicts } = await own.realise(above);
  expect([ok, own.ran]).toEqual([true, ['below', 'above']]);
  expect(conflicts).toMatchObject([{ output: 'out', here, there, signers: ['laptop'] }]);
  expect(conflicts[0]!.step.id).toBe(idOf(below));
  expect(conflicts[0]!.paths!.map(({ path }) => path)).toEqual(['below']);
  expect(outputOf(own, below)).toEqual(here);
});

test('a derivation that is new here, and whose action is not, has what that gave here', async () => {
  const url = pathToFileURL(tempFolder('cache')).href;
  const own = await machine(url);
  await own.realise(below);
  const here = outputOf(own, below);
  const there = await sayOtherwise(url, own);
  const { outputs, conflicts } = await own.realise(renamed);
  expect(outputs.get(idOf(renamed))).toEqual({ out: here });
  expect(own.ran).toEqual(['below']);
  expect(conflicts).toMatchObject([{ here, there, signers: ['laptop'] }]);
  const { action } = own.store.records.memo(idOf(below))!;
  expect(own.store.records.realisation(action)!.claim.outputs).toEqual({ out: here });
  // It was said once.
  expect((await own.realise(renamed)).conflicts).toEqual([]);
});

test('what too few have made is not taken, and compared with what is built in its place', async () => {
  const url = pathToFileURL(tempFolder('cache')).href;
  const first = await machine(url, 2);
  await first.realise(below);
  const there = await sayOtherwise(url, first);
  const second = await machine(url, 2);
  const { ok, conflicts } = await second.realise(below);
  expect([ok, second.ran]).toEqual([true, ['below']]);
  expect(conflicts).toMatchObject([{ here: outputOf(first, below), there, signers: ['laptop'] }]);
});
