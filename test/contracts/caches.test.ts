// What store/caches/cache.ts promises, of every kind of cache there is.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { compareWithCache } from '../../engine/caches/against.ts';
import { editionTree } from '../../engine/caches/edition-tree.ts';
import { write, type Derivation } from '../../engine/model/derivation.ts';
import type { DerivationId } from '../../engine/model/encode.ts';
import type { Step } from '../../engine/step.ts';
import { digestOf, digestSize, type Digest } from '../../store/base/digest.ts';
import { packageRoot } from '../../store/base/package-root.ts';
import { removeTree } from '../../store/base/remove-tree.ts';
import { editionSubject, openCache, signRecord } from '../../store/caches/index.ts';
import {
  encodeDirectory,
  generateSigningKey,
  MissingBlob,
  type Cache,
  type ContentReader,
  type Directory,
  type Node,
  type TreeNode,
} from '../../store/index.ts';
import { unpackBuildbox, type Buildbox } from '../support/buildbox.ts';
import { CasServer } from '../support/cas-server.ts';
import { skipWithout } from '../support/needs.ts';
import { serveCache } from '../support/cache-server.ts';
import { Nginx, unpackNginx } from '../support/nginx.ts';
import { MemoryCache } from '../support/memory-cache.ts';
import { Registry, unpackRegistry } from '../support/registry.ts';
import { S3Server, unpackS3Server } from '../support/s3-server.ts';
import { reapiOf, serveStore } from '../support/served-store.ts';
import { command, stepOf, stepSource } from '../support/steps.ts';
import { tempFolder } from '../support/temp-folder.ts';

interface Kind {
  readonly what: string;
  /** An empty cache; what it gives opens it, each time anew. */
  readonly place: () => Promise<() => Cache>;
  /** It cannot tell that two write to one file at once: then some of what they wrote may have to be pushed again. */
  readonly mixesUp?: boolean;
  /** It is asked about what is below an output directory by directory, and has the empty blob from the first. */
  readonly keepsNoBooks?: boolean;
  /** Why it cannot be tried here. */
  readonly missing?: () => string | undefined;
}

const env = { HOME: '/nonexistent' };
const kinds: Kind[] = [
  {
    what: 'in memory',
    place: () => {
      const cache = new MemoryCache();
      return Promise.resolve(() => cache);
    },
  },
  {
    what: 'in a folder',
    place: () => {
      const url = pathToFileURL(tempFolder('cache')).href;
      return Promise.resolve(() => openCache(url, { env }));
    },
  },
  {
    what: 'on a web server',
    place: async () => {
      const { base } = await serveCache(tempFolder('cache'));
      return () => openCache(`${base}/team`, { env, patience });
    },
  },
  {
    what: 'on a web server that heeds no conditions',
    mixesUp: true,
    place: async () => {
      const { base } = await serveCache(tempFolder('cache'), { ignoresConditions: true });
      return () => openCache(base, { env, patience });
    },
  },
  {
    what: 'that serves a store',
    place: async () => {
      const serving = await serveStore();
      return () => openCache(serving.url, { env: serving.env, patience });
    },
  },
  {
    what: 'on nginx, as the README has it set up',
    mixesUp: true,
    missing: () => noNginx,
    place: async () => {
      const [folder, home] = [tempFolder('cache'), tempFolder('home')];
      writeFileSync(join(folder, 'users'), 'ci:{PLAIN}letmein\n');
      writeFileSync(join(home, '.netrc'), 'machine 127.0.0.1 login ci password letmein\n');
      const server = nginxServer()
        .replace('root /srv;', `root ${folder}/served;`)
        .replace('/etc/nginx/team', join(folder, 'users'));
      const nginx = await Nginx.start({ program: nginxFolder, folder: join(folder, 'running'), server });
      onTestFinished(() => nginx.stop());
      return () => openCache(`${nginx.base}/team`, { env: { HOME: home }, patience });
    },
  },
  {
    what: 'in a bucket of a server that speaks S3',
    mixesUp: true,
    missing: () => noS3,
    place: async () => {
      const url = await s3!.bucket(`bucket-${buckets++}`);
      return () => openCache(url, { env: { ...env, ...s3!.env }, patience });
    },
  },
  {
    what: 'in a container registry',
    mixesUp: true,
    missing: () => noRegistry,
    place: () => {
      const url = `oci://${registry!.host}/team/cache-${repositories++}`;
      return Promise.resolve(() => openCache(url, { env, patience }));
    },
  },
  {
    what: 'that serves a store over the Remote Execution API',
    keepsNoBooks: true,
    place: async () => {
      const { url, env: writer } = await reapiOf(await serveStore());
      return () => openCache(url, { env: writer, patience });
    },
  },
  {
    what: 'on a Remote Execution API server',
    keepsNoBooks: true,
    missing: () => (typeof buildbox === 'string' ? buildbox : undefined),
    place: async () => {
      const server = await CasServer.start(buildbox as Buildbox, tempFolder('cas'));
      onTestFinished(() => server.stop('SIGKILL'));
      return () => openCache(server.url, { env, patience });
    },
  },
];
const patience = { firstMs: 30_000, idleMs: 30_000 };
const { signal } = new AbortController();
const key = generateSigningKey('ci');

/** Content that a test makes up. */
class Content implements ContentReader {
  readonly #blobs = new Map<Digest, Buffer>();
  readonly #directories = new Map<Digest, Directory>();

  blob(bytes: Buffer, executable = false): Node {
    const digest = digestOf(bytes);
    this.#blobs.set(digest, bytes);
    return { kind: 'blob', digest, executable };
  }

  tree(entries: Readonly<Record<string, Node>>): TreeNode {
    const directory = new Map(Object.entries(entries));
    const digest = digestOf(encodeDirectory(directory));
    this.#directories.set(digest, directory);
    return { kind: 'tree', digest };
  }

  forget(digest: Digest): void {
    this.#blobs.delete(digest);
  }

  /** What it is in a cache. */
  bytes(digest: Digest): Uint8Array {
    return this.#blobs.get(digest) ?? encodeDirectory(this.#directories.get(digest)!);
  }

  get all(): Set<Digest> {
    return new Set([...this.#blobs.keys(), ...this.#directories.keys()]);
  }

  directory(digest: Digest): Directory | undefined {
    return this.#directories.get(digest);
  }

  read(digest: Digest): Promise<Uint8Array> {
    const bytes = this.#blobs.get(digest);
    return bytes === undefined ? Promise.reject(new MissingBlob(digest)) : Promise.resolve(bytes);
  }

  async *stream(digest: Digest): AsyncGenerator<Uint8Array> {
    yield await this.read(digest);
  }
}

/** 300 small files, one large one and an empty one. */
function manyFiles(changed = ''): { content: Content; top: TreeNode } {
  const content = new Content();
  const large = Buffer.alloc(2_500_000, 'large');
  for (let at = 0; at < large.length; at += 4096) large.writeUInt32LE(at, at);
  const folders = Array.from({ length: 30 }, (_, folder) =>
    content.tree(
      Object.fromEntries(
        Array.from({ length: 10 }, (_, file) => [
          `file-${file}`,
          content.blob(Buffer.from(`${folder}/${file}${folder + file === 0 ? changed : ''}`.repeat(50))),
        ]),
      ),
    ),
  );
  const top = content.tree({
    ...Object.fromEntries(folders.map((folder, at) => [`folder-${at}`, folder])),
    large: content.blob(large, true),
    empty: content.blob(Buffer.alloc(0)),
    link: { kind: 'symlink', target: 'large' },
  });
  return { content, top };
}

function claimOf(action: Digest, out: Node): { subject: Digest; bytes: Uint8Array } {
  const claim = { format: 1, action, outputs: { out }, revision: 1 } as const;
  return { subject: action, bytes: signRecord({ kind: 'claim', claim }, key) };
}

async function readAll(cache: Cache, wanted: ReadonlySet<Digest>): Promise<Map<Digest, Buffer>> {
  const read = new Map<Digest, Buffer>();
  await cache.read(
    wanted,
    async (digest, chunks) => {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(chunk);
      expect(read.has(digest)).toBe(false);
      read.set(digest, Buffer.concat(parts));
    },
    signal,
  );
  return read;
}

/** What the README tells to put into nginx's configuration. */
function nginxServer(): string {
  const text = readFileSync(join(packageRoot, 'cli/README.md'), 'utf8');
  return /^location \/team\/ \{$[^]*?^\}$/m.exec(text)![0];
}

const action = digestOf(Buffer.from('action'));

let buildbox: Buildbox | string;
let noNginx: string | undefined;
let noS3: string | undefined;
let s3: S3Server | undefined;
let buckets = 0;
let noRegistry: string | undefined;
let registry: Registry | undefined;
let repositories = 0;
const folder = mkdtempSync(join(tmpdir(), 'cairn-servers-'));
const nginxFolder = join(folder, 'nginx');
beforeAll(async () => {
  buildbox = await unpackBuildbox(folder);
  noNginx = await unpackNginx(nginxFolder);
  noS3 = await unpackS3Server(join(folder, 's3'));
  noRegistry = await unpackRegistry(join(folder, 'registry'));
  const registryOptions = { program: join(folder, 'registry'), folder: join(folder, 'registry-runs') };
  if (noRegistry === undefined) registry = await Registry.start(registryOptions);
  if (noS3 === undefined) s3 = await S3Server.start(join(folder, 's3'));
});
afterAll(async () => {
  await s3?.stop();
  await registry?.stop();
  removeTree(folder);
});

describe.each(kinds)('a cache $what', ({ place, mixesUp = false, keepsNoBooks = false, missing }) => {
  beforeEach((context) => skipWithout(context, missing?.()));

  test('gives back all that was pushed, byte for byte, to whoever opens it', async () => {
    const open = await place();
    const { content, top } = manyFiles();
    const record = claimOf(action, top);
    const pushed = await open().push(
      { outputs: [{ top, name: 'many' }], records: [record], from: content },
      signal,
    );
    const contents = content.all.size - (keepsNoBooks ? 1 : 0);
    expect(pushed).toMatchObject({ contents, records: 1 });
    const cache = open();
    expect(await cache.records(new Set([action]), signal)).toEqual([record.bytes]);
    expect(await cache.has(new Set([top.digest]), new Set([top.digest]), signal)).toEqual(
      new Set([top.digest]),
    );
    expect(await cache.has(content.all, new Set([top.digest]), signal)).toEqual(content.all);
    expect(await cache.below(top.digest, signal)).toEqual(keepsNoBooks ? undefined : content.all);
    const read = await readAll(cache, content.all);
    expect(new Set(read.keys())).toEqual(content.all);
    for (const [digest, bytes] of read) expect(bytes.equals(content.bytes(digest))).toBe(true);
  });

  test('that is empty, or not there at all, has nothing and no error', async () => {
    const cache = (await place())();
    expect(await cache.records(new Set([action]), signal)).toEqual([]);
    expect(await cache.has(new Set([action]), new Set([action]), signal)).toEqual(new Set());
    expect(await cache.below(action, signal)).toBeUndefined();
  });

  test('is sent nothing twice, and of a tree that changed in one file little more than that', async () => {
    const open = await place();
    const [first, second] = [manyFiles(), manyFiles(' changed')];
    const outputs = (top: TreeNode): { top: TreeNode; name: string }[] => [{ top, name: 'many' }];
    const whole = await open().push(
      { outputs: outputs(first.top), records: [claimOf(action, first.top)], from: first.content },
      signal,
    );
    const again = await open().push(
      { outputs: outputs(first.top), records: [claimOf(action, first.top)], from: first.content },
      signal,
    );
    expect(again).toEqual({ contents: 0, records: 0, sentBytes: 0 });
    const changed = await open().push(
      { outputs: outputs(second.top), records: [], from: second.content },
      signal,
    );
    expect(changed.contents).toBe(3);
    expect(changed.sentBytes).toBeLessThan(whole.sentBytes);
    const cache = open();
    await cache.has(new Set([second.top.digest]), new Set([second.top.digest]), signal);
    const read = await readAll(cache, second.content.all);
    for (const [digest, bytes] of read) expect(bytes.equals(second.content.bytes(digest))).toBe(true);
    expect(read.size).toBe(second.content.all.size);
  });

  test.skipIf(mixesUp)('has all that several push at once', async () => {
    const open = await place();
    const pushes = Array.from({ length: 6 }, (_, at) => {
      const content = new Content();
      const top = content.tree({ file: content.blob(Buffer.from(`of ${at}`)) });
      // All about one shard: they write to the same index.
      return { content, top, record: claimOf(digestIn(`0${at}`), top) };
    });
    await Promise.all(
      pushes.map(({ content, top, record }) =>
        open().push({ outputs: [{ top, name: 'same' }], records: [record], from: content }, signal),
      ),
    );
    const cache = open();
    const subjects = new Set(pushes.map(({ record }) => record.subject));
    const records = await cache.records(subjects, signal);
    expect(new Set(records.map((bytes) => Buffer.from(bytes).toString('hex')))).toEqual(
      new Set(pushes.map(({ record }) => Buffer.from(record.bytes).toString('hex'))),
    );
    for (const { content, top } of pushes) {
      await cache.has(content.all, new Set([top.digest]), signal);
      expect((await readAll(cache, content.all)).size).toBe(2);
    }
  });

  test('keeps what different builders say of one action', async () => {
    const open = await place();
    const { content, top } = manyFiles();
    const other = generateSigningKey('laptop');
    const claim = { format: 1, action, outputs: { out: top }, revision: 1 } as const;
    const records = [key, other].map((each) => ({
      subject: action,
      bytes: signRecord({ kind: 'claim', claim }, each),
    }));
    for (const record of records)
      await open().push({ outputs: [{ top, name: 'many' }], records: [record], from: content }, signal);
    expect(await open().records(new Set([action]), signal)).toHaveLength(2);
  });

  test('gets no record of content that could not be read to its end', async () => {
    const open = await place();
    const { content, top } = manyFiles();
    const lost = [...content.all].find((digest) => digestSize(digest) > 1_000_000)!;
    content.forget(lost);
    await expect(
      open().push(
        { outputs: [{ top, name: 'many' }], records: [claimOf(action, top)], from: content },
        signal,
      ),
    ).rejects.toThrow(MissingBlob);
    expect(await open().records(new Set([action]), signal)).toEqual([]);
  });

  test('keeps what a name came to, so that whoever wants something else is told what differs', async () => {
    const open = await place();
    const graph = (text: string): Derivation =>
      command('top', command('same'), write({ name: 'words', files: { words: text } }));
    const [theirs, ours] = [graph('one'), graph('two')];
    const closure = new Map<DerivationId, Step>();
    const { id } = stepOf(theirs, closure);
    const nothing = { records: { description: () => undefined }, trees: { get: () => undefined } };
    const tree = editionTree(closure.values(), nothing, new Map());
    const edition = { name: 'top@x86_64-linux', derivation: id, builtAtMs: 0, descriptions: tree.top.digest };
    const record = {
      subject: editionSubject(edition.name),
      bytes: signRecord({ kind: 'edition', edition }, key),
    };
    const content = new Content();
    const read = (digest: Digest): Promise<Uint8Array> => Promise.resolve(tree.blobs.get(digest)!);
    const from: ContentReader = {
      directory: (digest) => tree.directories.get(digest) ?? content.directory(digest),
      read,
      stream: async function* (digest) {
        yield await read(digest);
      },
    };
    const push = { outputs: [{ top: tree.top, name: 'descriptions of top' }], records: [record], from };
    expect(await open().push(push, signal)).toMatchObject({ contents: 5, records: 1 });
    expect(await open().push(push, signal)).toMatchObject({ contents: 0, records: 0 });
    const { steps, idOf } = stepSource(ours);
    const against = await compareWithCache(idOf(ours), {
      ...{ names: [edition.name], steps, cache: open(), takesAnyKey: false, signal },
      trust: { keys: [key.publicKey], need: 1 },
    });
    if (against.kind !== 'differs') throw new Error(`it is ${against.kind}`);
    expect(against.found).toMatchObject({ edition, signer: 'ci', isTrusted: true });
    expect(against.causes.map(({ step, changes }) => [step.derivation.name, changes])).toEqual([
      ['words', [expect.objectContaining({ kind: 'field', path: 'files.words.bytes' })]],
      ['top', [expect.objectContaining({ kind: 'input' })]],
    ]);
  });

  test('hands on what whoever takes content throws, and then gives no more', async () => {
    const open = await place();
    const { content, top } = manyFiles();
    await open().push({ outputs: [{ top, name: 'many' }], records: [], from: content }, signal);
    const cache = open();
    await cache.has(content.all, new Set([top.digest]), signal);
    let taken = 0;
    const failing = cache.read(
      content.all,
      () => Promise.reject(new Error(`no room for ${taken++}`)),
      signal,
    );
    await expect(failing).rejects.toThrow('no room for 0');
    const before = taken;
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(before);
  });
});

// An action whose digest begins with these hex digits.
function digestIn(start: string): Digest {
  return `${start.padEnd(64, 'a')}/7` as Digest;
}
