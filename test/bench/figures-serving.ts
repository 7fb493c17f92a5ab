// `cairn cache serve` under 200 clients at once, beside nginx with the same files on the same machine: how much comes in a second,
// whether all of it does, and how much memory the server takes; and how much it takes when they push, over HTTP and over gRPC.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../store/base/package-root.ts';
import { digestHash } from '../../store/base/digest.ts';
import { decodeContentList } from '../../store/caches/content-list.ts';
import { openCache } from '../../store/caches/index.ts';
import { decodePieces, joined } from '../../store/caches/pieces.ts';
import { openStore } from '../../store/index.ts';
import { Nginx, unpackNginx } from '../support/nginx.ts';
import { atLeast, atMost, median, type Figure } from './figure.ts';
import { readerOf, writeImage, writeManyFiles } from './figures-pull.ts';
import type { Load, Loaded } from './load-clients.ts';
import type { PushLoad, PushLoaded } from './load-pushers.ts';
import { inFolder } from './machine.ts';
import { cairn } from './process.ts';

const clients = 200;
const rounds = 3;
const token = '0123456789abcdef-of-the-bench';
const { signal } = new AbortController();

export function serving(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const missing = await unpackNginx(join(folder, 'nginx'));
    if (missing !== undefined) throw new Error(missing);
    const shelf = join(folder, 'shelf');
    mkdirSync(shelf);
    const server = await startServer(join(folder, 'served'));
    const nginx = await Nginx.start({
      program: join(folder, 'nginx'),
      folder: join(folder, 'running'),
      server: `root ${shelf};`,
    });
    try {
      await fill(folder, [pathToFileURL(shelf).href, server.url]);
      const figures: Figure[] = [];
      for (const what of ['packs', 'blobs'] as const) {
        const [own, theirs]: [number[], number[]] = [[], []];
        const [files, same] = (await Promise.all(
          [server.url, nginx.base].map((base) => filesOf(what, readdirSync(join(shelf, 'content')), base)),
        )) as [Load['files'], Load['files']];
        for (let round = 0; round < rounds; round++) {
          own.push(await rateOf(server.url, files));
          theirs.push(await rateOf(nginx.base, same));
        }
        figures.push({
          what: `serving ${what} to ${clients} clients at once`,
          measured: rate(median(own)),
          yardstick: `nginx ${rate(median(theirs))}`,
          ...atLeast(median(own) / median(theirs), 0.6),
          command: 'cairn cache serve',
        });
      }
      return [...figures, memory(`with ${clients} clients at once`, server.peakMb())];
    } finally {
      await server.stop();
      await nginx.stop();
    }
  });
}

/** 200 outputs, each a file of 4 MB and ten small ones, all at once. */
export function pushing(): Promise<Figure[]> {
  return inFolder(async (folder) => {
    const figures: Figure[] = [];
    for (const protocol of ['http', 'grpc'] as const) figures.push(await pushingOver(protocol, folder));
    return figures;
  });
}

async function pushingOver(protocol: 'http' | 'grpc', folder: string): Promise<Figure> {
  const server = await startServer(join(folder, `pushed-${protocol}`));
  try {
    const url = protocol === 'http' ? server.url : server.grpcUrl;
    const env = { HOME: folder, CAIRN_CACHE_TOKEN: `${url.replace(/^\w+:\/\//, '')}=${token}` };
    const load: PushLoad = { url, env, clients, largeBytes: 4_000_000, smallFiles: 10 };
    const { failures } = (await loadBy('load-pushers.js', load)) as PushLoaded;
    if (failures.length > 0) throw new Error(`${failures.length} pushes failed: ${failures[0]}`);
    return memory(`with ${clients} clients that push over ${protocol}`, server.peakMb());
  } finally {
    await server.stop();
  }
}

function memory(when: string, peakMb: number): Figure {
  return {
    what: `memory of a server ${when}`,
    measured: `${peakMb.toFixed(0)} MB`,
    yardstick: '300 MB',
    ...atMost(peakMb / 300, 1),
    command: 'VmHWM of cairn cache serve',
  };
}

interface Server {
  readonly url: string;
  readonly grpcUrl: string;
  peakMb(): number;
  stop(): Promise<void>;
}

async function startServer(folder: string): Promise<Server> {
  const [program, ...words] = cairn;
  const serve = ['cache', 'serve', '--json', '--no-log', '--listen', '127.0.0.1:0', '--rate', '1000000'];
  const child = spawn(program!, [...words, ...serve, '--grpc', '127.0.0.1:0'], {
    cwd: packageRoot,
    env: { ...process.env, HOME: folder, CAIRN_STORE: folder, CAIRN_SERVE_TOKENS: `bench ${token}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url, grpcUrl } = JSON.parse(line.toString()) as { readonly url: string; readonly grpcUrl: string };
  const ended = once(child, 'exit');
  return {
    url,
    grpcUrl,
    peakMb: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1000,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

// 400 files of 12 MB, and a disk image of 8 MiB with a compressed one of 4: every client gets all of it.
async function fill(folder: string, urls: readonly string[]): Promise<void> {
  const store = await openStore(join(folder, 'store'));
  try {
    for (const [name, write] of [
      ['files', (to: string) => writeManyFiles(to, 4)],
      ['image', (to: string) => writeImage(to, 8, 4)],
    ] as const) {
      write(join(folder, name));
      const top = (await store.importFolder(join(folder, name))).node;
      for (const url of urls) {
        const env = { CAIRN_CACHE_TOKEN: `${url.replace('http://', '')}=${token}` };
        const push = { outputs: [{ top, name }], records: [], from: readerOf(store) };
        await openCache(url, { env }).push(push, signal);
      }
    }
  } finally {
    await store.close();
  }
}

// Each server makes packs of its own, of the same files: its lists say which.
async function filesOf(
  what: 'packs' | 'blobs',
  tops: readonly string[],
  base: string,
): Promise<Load['files']> {
  const lists = await Promise.all(
    tops.map(async (top) => {
      const answer = await fetch(`${base}/content/${top}`);
      return decodeContentList(await joined(decodePieces(answer.body as AsyncIterable<Uint8Array>)))!;
    }),
  );
  const names = lists.flatMap(({ packs, alone }) =>
    what === 'packs' ? packs.map(({ name }) => name) : alone.map(digestHash),
  );
  return Promise.all(
    [...new Set(names)].map(async (name) => {
      const path = `/${what}/${name}`;
      const answer = await fetch(`${base}${path}`, { method: 'HEAD' });
      if (!answer.ok) throw new Error(`${path} is not at ${base}`);
      return { path, sizeBytes: Number(answer.headers.get('content-length')) };
    }),
  );
}

/** Bytes a second. @throws when anything was lost */
async function rateOf(base: string, files: Load['files']): Promise<number> {
  const { hostname: host, port } = new URL(base);
  const load: Load = { host, port: Number(port), clients, files };
  const { ms, bytes, failures } = (await loadBy('load-clients.js', load)) as Loaded;
  if (failures.length > 0) throw new Error(`${failures.length} of ${clients} lost something: ${failures[0]}`);
  return bytes / (ms / 1000);
}

/** What the program says that is told so. */
async function loadBy(program: string, load: Load | PushLoad): Promise<unknown> {
  const child = spawn(process.execPath, [join(packageRoot, 'dist/test/bench', program)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(load));
  return JSON.parse(await text(child.stdout));
}

function rate(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(0)} MB/s`;
}
