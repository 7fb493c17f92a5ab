// Taking from a cache on this machine into an empty store, beside `cp -r` of the same files in the same run: through a web server
// and a Remote Execution API server, as a build does it.

import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContentElsewhere } from '../../engine/content-elsewhere.ts';
import { Caches } from '../../engine/caches/caches.ts';
import { openCache } from '../../store/caches/index.ts';
import { openStore, type Cache, type ContentReader, type Node, type Store } from '../../store/index.ts';
import { unpackBuildbox } from '../support/buildbox.ts';
import { CasServer } from '../support/cas-server.ts';
import { Nginx, unpackNginx } from '../support/nginx.ts';
import { atMost, median, seconds, type Figure } from './figure.ts';
import { inFolder } from './machine.ts';
import { measure } from './process.ts';

type Tree = Node & { kind: 'tree' };
const { signal } = new AbortController();
const rounds = 3;

export function pulling(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const store = await openStore(join(folder, 'store'));
    const places = await startPlaces(folder);
    const figures: Figure[] = [];
    try {
      for (const { what, write } of trees) {
        const files = join(folder, 'files');
        write(files);
        const top = (await store.importFolder(files)).node;
        for (const { name, url } of places.urls) {
          const cache = openCache(url, { env: {} });
          await cache.push({ outputs: [{ top, name: what }], records: [], from: readerOf(store) }, signal);
          figures.push(await beside({ what: `${what} ${name}`, files, top, url, folder }));
        }
        rmSync(files, { recursive: true });
      }
    } finally {
      await store.close();
      await places.stop();
    }
    return figures;
  });
}

const trees = [
  { what: 'taking 10,000 files of 300 MB', write: writeManyFiles },
  { what: 'taking an image of 320 MB and 100 MB compressed', write: writeImage },
];

async function beside({
  what,
  files,
  top,
  url,
  folder,
}: {
  readonly what: string;
  readonly files: string;
  readonly top: Tree;
  readonly url: string;
  readonly folder: string;
}): Promise<Figure> {
  const [pulled, copied]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    pulled.push(await pull(openCache(url, { env: {} }), top, join(folder, 'pulled')));
    copied.push((await measure(['cp', '-r', files, join(folder, 'copy')])).wallMs);
    rmSync(join(folder, 'copy'), { recursive: true });
  }
  return {
    what,
    measured: seconds(median(pulled)),
    yardstick: `cp -r ${seconds(median(copied))}`,
    ...atMost(median(pulled) / median(copied), 1.5),
    command: 'elsewhere.bring(…)',
  };
}

async function pull(cache: Cache, top: Tree, folder: string): Promise<number> {
  const store = await openStore(folder);
  try {
    const source = new Caches([{ cache, takesAnyKey: true }], { keys: [], need: 1 });
    const notices: string[] = [];
    const elsewhere = new ContentElsewhere({ store, source, signal, onNotice: (text) => notices.push(text) });
    const started = performance.now();
    const hasCome = await elsewhere.bring({ outputs: [{ out: top }], record: () => undefined });
    const ms = performance.now() - started;
    if (!hasCome) throw new Error(`not all of it came: ${notices.join('; ')}`);
    return ms;
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

async function startPlaces(
  folder: string,
): Promise<{ urls: readonly { name: string; url: string }[]; stop: () => Promise<void> }> {
  const [web, cas] = [join(folder, 'web'), join(folder, 'cas')];
  for (const each of [web, cas]) mkdirSync(each);
  const buildbox = await unpackBuildbox(join(folder, 'buildbox'));
  if (typeof buildbox === 'string') throw new Error(buildbox);
  const missing = await unpackNginx(join(folder, 'nginx'));
  if (missing !== undefined) throw new Error(missing);
  const service = await CasServer.start(buildbox, cas);
  const server = `root ${web}; dav_methods PUT; create_full_put_path on; client_max_body_size 0;`;
  const nginx = await Nginx.start({
    program: join(folder, 'nginx'),
    folder: join(folder, 'running'),
    server,
  });
  const stop = async (): Promise<void> => {
    await service.stop();
    await nginx.stop();
  };
  return {
    urls: [
      { name: 'from a web server', url: nginx.base },
      { name: 'from a REAPI server', url: service.url },
    ],
    stop,
  };
}

export function readerOf({ blobs, trees }: Store): ContentReader {
  return {
    directory: (digest) => trees.get(digest),
    read: (digest) => blobs.read(digest),
    async *stream(digest) {
      const { createReadStream } = await import('node:fs');
      yield* createReadStream(await blobs.verified(digest), {
        highWaterMark: 256 * 1024,
      }) as AsyncIterable<Uint8Array>;
    },
  };
}

export function writeManyFiles(to: string, folders = 100): void {
  for (let folder = 0; folder < folders; folder++) {
    mkdirSync(join(to, `${folder}`), { recursive: true });
    for (let file = 0; file < 100; file++)
      writeFileSync(join(to, `${folder}`, `${file}`), randomBytes(30_000));
  }
}

// As images are: half of the one is empty or easily made smaller, none of the other is.
export function writeImage(to: string, plainMib = 320, compressedMib = 100): void {
  mkdirSync(to, { recursive: true });
  for (let mib = 0; mib < plainMib; mib++)
    appendFileSync(
      join(to, 'disk.img'),
      mib % 2 === 0 ? Buffer.alloc(1 << 20, `${mib}`) : randomBytes(1 << 20),
    );
  for (let mib = 0; mib < compressedMib; mib++)
    appendFileSync(join(to, 'disk.img.zst'), randomBytes(1 << 20));
}
