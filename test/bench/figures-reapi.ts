// A Remote Execution API cache on this machine, buildbox-casd: asking, and pushing again.

import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, digestSize, type Digest } from '../../store/base/digest.ts';
import { openStore, type Store } from '../../store/index.ts';
import { ReapiClient } from '../../store/reapi/client.ts';
import { ReapiCache, type PushSource } from '../../store/reapi/reapi-cache.ts';
import { unpackBuildbox } from '../support/buildbox.ts';
import { CasServer } from '../support/cas-server.ts';
import { atMost, seconds, withoutPeer, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';

interface Bench {
  readonly folder: string;
  readonly store: Store;
  readonly cache: ReapiCache;
}

const { signal } = new AbortController();
const [folders, filesInFolder, fileBytes] = [100, 100, 30_000];

export function remoteCache(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const buildbox = await unpackBuildbox(join(folder, 'buildbox'));
    if (typeof buildbox === 'string')
      return [{ what: 'a remote cache', measured: '', command: '', ...withoutPeer(buildbox, '') }];
    mkdirSync(join(folder, 'cas'));
    const server = await CasServer.start(buildbox, join(folder, 'cas'));
    const store = await openStore(join(folder, 'store'));
    const cache = new ReapiCache('buildbox-casd', new ReapiClient(server.url));
    try {
      const bench = { folder, store, cache };
      return [await asking(bench), ...(await pushing(bench))];
    } finally {
      cache.close();
      await store.close();
      await server.stop();
    }
  });
}

async function asking({ cache }: Bench): Promise<Figure> {
  const steps = new Set(Array.from({ length: 10_000 }, (_, at) => digestOf(Buffer.from(`step ${at}`))));
  const ms = await duration(() => cache.records(steps, signal));
  return {
    what: 'asking a REAPI cache about 10,000 steps, none present',
    measured: `${seconds(ms)} in one question`,
    yardstick: '2 s',
    ...atMost(ms / 2000, 1),
    command: 'cache.records(10,000 subjects)',
  };
}

async function pushing({ folder, store, cache }: Bench): Promise<Figure[]> {
  const files = join(folder, 'files');
  writeFiles(files);
  const before = (await store.importFolder(files)).node;
  const from = sourceIn(store);
  const first = await duration(() => cache.push({ outputs: [{ top: before }], records: [], from }, signal));
  appendFileSync(join(files, '7/7'), 'changed');
  const after = (await store.importFolder(files)).node;
  let sentBytes = 0;
  const again = await duration(async () => {
    ({ sentBytes } = await cache.push({ outputs: [{ top: after }], records: [], from }, signal));
  });
  const treeBytes = folders * filesInFolder * fileBytes;
  return [
    {
      what: 'pushing 10,000 files of 300 MB again after one changed: bytes',
      measured: `${sentBytes} B`,
      yardstick: `the tree ${treeBytes} B`,
      ...atMost(sentBytes / treeBytes, 0.01),
      command: 'cache.push(…)',
    },
    {
      what: 'pushing 10,000 files of 300 MB again after one changed: time',
      measured: seconds(again),
      yardstick: `1 s; at first ${seconds(first)}`,
      ...atMost(again / 1000, 1),
      command: 'cache.push(…)',
    },
  ];
}

function sourceIn(store: Store): PushSource {
  const read = (digest: Digest): Promise<Uint8Array> => store.blobs.read(digest);
  return {
    directory: (digest) => store.trees.get(digest),
    read,
    stream: async function* (digest) {
      if (digestSize(digest) > 0) yield await read(digest);
    },
  };
}

function writeFiles(to: string): void {
  for (let folder = 0; folder < folders; folder++) {
    mkdirSync(join(to, `${folder}`), { recursive: true });
    for (let file = 0; file < filesInFolder; file++)
      writeFileSync(join(to, `${folder}`, `${file}`), randomBytes(fileBytes));
  }
}

async function duration(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
