// Uses a store the way a test asks for, in a process of its own: `use-store ACTION STORE [MORE…]`.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { digestOf, type Digest } from '../../../store/base/digest.ts';
import { layoutOf } from '../../../store/layout.ts';
import { Session } from '../../../store/processes/session.ts';
import { openStore, type Batch, type Node, type Store } from '../../../store/index.ts';
import { madeRealisation } from '../realisations.ts';

const [action, path, ...more] = process.argv.slice(2) as [string, string, ...string[]];
const store = await openStore(path);
const actions: Readonly<Record<string, (store: Store) => Promise<void>>> = {
  // Adds the same hundred blobs as everybody else and says which tree they make.
  commit: async () => {
    const batch = store.begin();
    const digest = addMany(batch);
    await batch.commit();
    say(digest);
  },
  // Stops where it hurts: content is written, nothing is committed, a lock is held. Waits to be killed.
  hang: async () => {
    const batch = store.begin();
    await store.locks.acquire('held');
    addMany(batch);
    writeFileSync(`${await store.scratch('work')}/left`, 'x');
    say('hanging');
    await setTimeout(1_000_000);
  },
  // Adds one to the number in a file, slowly, and some times over.
  count: async () => {
    for (let round = 0; round < 5; round++) {
      const lock = await store.locks.acquire('counter');
      const count = Number(readFileSync(more[0]!, 'utf8'));
      await setTimeout(2);
      writeFileSync(more[0]!, String(count + 1));
      await lock.release();
    }
  },
  // Commits again and again what others have too, with records that name it; says which roots it made.
  build: async () => {
    for (let round = 0; round < 25; round++) {
      const batch = store.begin();
      const out: Node = { kind: 'tree', digest: addMany(batch, round % 3) };
      const [id, action] = [keyOf(`${more[0]} ${round}`), keyOf(`${more[0]} action ${round}`)];
      await batch.commit((records) => {
        records.putMemo({ derivation: id, action, outputs: { out } });
        records.putRealisation(madeRealisation(action, { out }));
        // Every other result is garbage from the start.
        if (round % 2 === 0) records.putRoot({ name: `${more[0]}-${round}`, derivations: [id] });
      });
    }
    say('built');
  },
  // Imports a folder again and again, of which one file changes each time, and reads all of it back from the store.
  import: async () => {
    for (let round = 0; round < 25; round++) {
      writeFileSync(`${more[0]}/changing`, `round ${round}`);
      const session = await openStore(path);
      const { node } = await session.importFolder(more[0]!);
      const folder = await session.materialise(node.digest);
      for (const name of readdirSync(folder)) readFileSync(`${folder}/${name}`);
      await session.close();
    }
    say('imported');
  },
  collect: async () => {
    for (let round = 0; round < 20; round++) await (await (await store.maintenance()).planGc()).execute();
    say('collected');
  },
  // Sweeps again and again, until it is killed.
  sweep: async () => {
    const session = new Session(layoutOf(path));
    await session.sweep();
    say('sweeping');
    for (;;) await session.sweep();
  },
  // Fills the disk, then adds something small.
  fill: async () => {
    await trying(() => store.begin().addStream(zeros()));
    await trying(() => store.begin().addBytes(Buffer.alloc(50_000_000)));
    await trying(() => store.importFolder(more[0]!));
    const batch = store.begin();
    batch.addBytes(Buffer.from('small'));
    await batch.commit((records) => records.putDuration('small', 1));
    say(`then ${store.records.duration('small')}`);
  },
};
await actions[action]!(store);
await store.close();

function keyOf(text: string): Digest {
  return digestOf(Buffer.from(text));
}

function addMany(batch: Batch, from = 0): Digest {
  const directory = new Map<string, Node>();
  for (let at = from; at < from + 100; at++) {
    const digest = batch.addBytes(Buffer.from(`content ${at} ${'x'.repeat(at * 100)}`), at % 2 === 0);
    directory.set(`f${at}`, { kind: 'blob', digest, executable: at % 2 === 0 });
  }
  return batch.addDirectory(directory);
}

async function* zeros(): AsyncGenerator<Uint8Array> {
  for (;;) yield await Promise.resolve(Buffer.alloc(1 << 20));
}

async function trying(attempt: () => unknown): Promise<void> {
  try {
    await attempt();
    say('worked');
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    say(`${code ?? 'no code'}: ${message}`);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
