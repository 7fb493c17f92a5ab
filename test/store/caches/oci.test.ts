// A cache in a container registry: what its garbage collection leaves, large files in chunks, who is let in, and what is said when
// nobody is. Its promises as a cache are those of every kind (test/contracts/caches.test.ts).

import { createHash, randomBytes, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { digestOf, type Digest } from '../../../store/base/digest.ts';
import { removeTree } from '../../../store/base/remove-tree.ts';
import { openCache } from '../../../store/caches/index.ts';
import { parseChallenge } from '../../../store/caches/oci-manner.ts';
import { parseOciUrl } from '../../../store/caches/oci-place.ts';
import { OciShelf } from '../../../store/caches/oci-shelf.ts';
import { chunkBytes } from '../../../store/caches/oci-upload.ts';
import { joined } from '../../../store/caches/pieces.ts';
import {
  encodeDirectory,
  type Cache,
  type ContentReader,
  type Directory,
  type Push,
} from '../../../store/index.ts';
import { Authority } from '../../support/certificates.ts';
import { skipWithout } from '../../support/needs.ts';
import { Registry, unpackRegistry } from '../../support/registry.ts';
import { tempFolder } from '../../support/temp-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const program = mkdtempSync(join(tmpdir(), 'cairn-registry-'));
const patience = { firstMs: 30_000, idleMs: 30_000 };
const { signal } = new AbortController();
const nobody = { HOME: '/nonexistent' };
let missing: string | undefined;

beforeAll(async () => {
  missing = await unpackRegistry(join(program, 'unpacked'));
});
afterAll(() => removeTree(program));
beforeEach((context) => skipWithout(context, missing));

/** A registry that is gone when the test has ended. */
async function registry(auth?: string): Promise<Registry & { readonly folder: string }> {
  const folder = tempFolder('registry');
  const options = { program: join(program, 'unpacked'), folder, ...(auth !== undefined && { auth }) };
  const started = await Registry.start(options);
  onTestFinished(() => started.stop('SIGKILL'));
  return Object.assign(started, { folder });
}

function shelf(host: string, env: Environment = nobody, repository = 'team/cache'): OciShelf {
  return new OciShelf(parseOciUrl(new URL(`oci://${host}/${repository}`)), { env, patience });
}

function bytesOf(bytes: Uint8Array): { sizeBytes: number; chunks: () => Iterable<Uint8Array> } {
  return { sizeBytes: bytes.byteLength, chunks: () => [bytes] };
}

const text = (words: string): ReturnType<typeof bytesOf> => bytesOf(Buffer.from(words));

async function read(from: OciShelf, name: string): Promise<string | undefined> {
  const found = await from.read(name, signal);
  return found && (await joined(found)).toString();
}

/** A push of one tree: a file, and a large one that travels alone. */
function pushOf(words: string): {
  readonly push: Push;
  readonly all: ReadonlySet<Digest>;
  readonly top: Digest;
} {
  const blobs = new Map(
    [Buffer.from(words), Buffer.alloc(1_500_000, words)].map((bytes) => [digestOf(bytes), bytes]),
  );
  const directory: Directory = new Map(
    [...blobs.keys()].map((digest, at) => [`file-${at}`, { kind: 'blob', digest, executable: false }]),
  );
  const top = digestOf(encodeDirectory(directory));
  const blob = (digest: Digest): Promise<Uint8Array> => Promise.resolve(blobs.get(digest)!);
  const from: ContentReader = {
    directory: (digest) => (digest === top ? directory : undefined),
    read: blob,
    stream: async function* (digest) {
      yield await blob(digest);
    },
  };
  const push = {
    outputs: [{ top: { kind: 'tree', digest: top } as const, name: 'same' }],
    records: [],
    from,
  };
  return { push, all: new Set([top, ...blobs.keys()]), top };
}

async function readAll(
  cache: Cache,
  { all, top }: Pick<ReturnType<typeof pushOf>, 'all' | 'top'>,
): Promise<void> {
  expect(await cache.has(all, new Set([top]), signal)).toEqual(all);
  const found = new Set<Digest>();
  await cache.read(
    all,
    async (digest, chunks) => {
      expect(digestOf(await joined(chunks))).toBe(digest);
      found.add(digest);
    },
    signal,
  );
  expect(found).toEqual(all);
}

/** Uploads a blob that nothing refers to. */
async function upload(host: string, bytes: Buffer): Promise<string> {
  const url = `http://${host}/v2/team/cache/blobs/`;
  const started = await fetch(`${url}uploads/`, { method: 'POST' });
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const where = new URL(started.headers.get('location')!, url);
  where.searchParams.set('digest', digest);
  expect((await fetch(where, { method: 'PUT', body: new Uint8Array(bytes) })).status).toBe(201);
  return `${url}${digest}`;
}

const isThere = async (url: string): Promise<boolean> => (await fetch(url, { method: 'HEAD' })).ok;

describe('the garbage collection of a registry', () => {
  test('leaves all of a cache, and takes what nothing refers to, and what was replaced', async () => {
    const server = await registry();
    const open = (): Cache => openCache(`oci://${server.host}/team/cache`, { env: nobody, patience });
    const [first, second] = [pushOf('one'), pushOf('two')];
    for (const { push } of [first, second]) await open().push(push, signal);
    const appended = shelf(server.host);
    for (const line of ['first\n', 'second\n']) await appended.append('index/0', line, signal);
    const replaced = `http://${server.host}/v2/team/cache/blobs/sha256:${createHash('sha256').update('first\n').digest('hex')}`;
    const orphan = await upload(server.host, Buffer.from('nothing leads here'));
    expect([await isThere(orphan), await isThere(replaced)]).toEqual([true, true]);

    await server.collectGarbage();
    expect([await isThere(orphan), await isThere(replaced)]).toEqual([false, true]);
    for (const pushed of [first, second]) await readAll(open(), pushed);
    await server.collectGarbage({ untagged: true });
    expect(await isThere(replaced)).toBe(false);
    for (const pushed of [first, second]) await readAll(open(), pushed);
    expect(await read(shelf(server.host), 'index/0')).toBe('first\nsecond\n');
    expect(await open().upkeep!.verify(signal)).toMatchObject({
      outputs: 2,
      contents: 6,
      damages: [],
      leftovers: [],
    });
    expect(await open().push(first.push, signal)).toEqual({ contents: 0, records: 0, sentBytes: 0 });
  });

  test('is survived by a push that it came between: it goes on with what is there', async () => {
    const server = await registry();
    const { push, all, top } = pushOf('one');
    const broken = new Error('the machine went away');
    const from: ContentReader = {
      ...push.from,
      stream: async function* () {
        await Promise.resolve();
        yield* [];
        throw broken;
      },
    };
    const open = (): Cache => openCache(`oci://${server.host}/team/cache`, { env: nobody, patience });
    await expect(open().push({ ...push, from }, signal)).rejects.toThrow('the machine went away');
    await server.collectGarbage({ untagged: true });
    await open().push(push, signal);
    await readAll(open(), { all, top });
  });
});

test('what a disk has lost is found and mended, where nobody may delete', async () => {
  const server = await registry();
  const cache = openCache(`oci://${server.host}/team/cache`, { env: nobody, patience });
  const { push, all, top } = pushOf('one');
  await cache.push(push, signal);
  // An image of somebody in the same repository is none of our business.
  await shelf(server.host).write('v1.0', text('an image'), signal);
  const kept = join(server.folder, 'kept/docker/registry/v2/blobs/sha256');
  const names = await shelf(server.host).names(signal);
  const pack = names.find((name) => name.startsWith('packs/'))!.slice('packs/'.length);
  rmSync(join(kept, pack.slice(0, 2), pack), { recursive: true });
  const report = await cache.upkeep!.verify(signal);
  expect(report.damages).toMatchObject([{ kind: 'content', name: `packs/${pack}` }]);
  expect(report.leftovers).toEqual([]);
  const node = { top: { kind: 'tree', digest: top } as const, name: 'mended' };
  await cache.upkeep!.mend(report, { outputs: [], from: push.from }, signal);
  const open = (): Cache => openCache(`oci://${server.host}/team/cache`, { env: nobody, patience });
  expect(await open().has(all, new Set([top]), signal)).toEqual(new Set());
  expect((await open().upkeep!.verify(signal)).damages).toEqual([]);
  await open().upkeep!.mend(report, { outputs: [node], from: push.from }, signal);
  await readAll(open(), { all, top });
});

describe('a large file', () => {
  test('goes in chunks, once', async () => {
    const server = await registry();
    const bytes = randomBytes(2 * chunkBytes + 12_345);
    const { host, requests } = await frontOf(server.host);
    await shelf(host).write('blobs/ab', bytesOf(bytes), signal);
    const sent = (): string[] => requests.filter((method) => method === 'PATCH' || method === 'PUT');
    expect(sent().filter((method) => method === 'PATCH')).toHaveLength(3);
    const before = sent().length;
    await shelf(host).write('blobs/cd', bytesOf(bytes), signal);
    expect(sent().slice(before)).toEqual(['PUT']);
    const found = await shelf(host).read('blobs/ab', signal);
    expect(Buffer.compare(await joined(found!), bytes)).toBe(0);
  });

  test.each([
    ['before any of it has come', 0, 5],
    ['in the middle', chunkBytes / 2, 4],
  ])('of which a chunk breaks off %s is whole all the same', async (_, afterBytes, patches) => {
    const server = await registry();
    const bytes = randomBytes(2 * chunkBytes + 12_345);
    let left = 2;
    const { host, requests } = await frontOf(server.host, (request) =>
      request.method === 'PATCH' && left-- > 0 ? afterBytes : undefined,
    );
    await shelf(host).write('blobs/ab', bytesOf(bytes), signal);
    expect(requests.filter((method) => method === 'PATCH').length).toBeGreaterThanOrEqual(patches);
    const found = await shelf(server.host).read('blobs/ab', signal);
    expect(Buffer.compare(await joined(found!), bytes)).toBe(0);
  });
});

/** A front before a registry, which breaks off some requests in the middle of what they bring. */
async function frontOf(
  behind: string,
  breaksOff: (request: IncomingMessage) => number | undefined = () => undefined,
): Promise<{ readonly host: string; readonly requests: readonly string[] }> {
  const requests: string[] = [];
  const pass = (request: IncomingMessage, response: ServerResponse): void => {
    requests.push(request.method!);
    const onward = httpRequest(
      `http://${behind}${request.url}`,
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => request.socket.destroy());
    const afterBytes = breaksOff(request);
    if (afterBytes !== undefined) {
      let doneBytes = 0;
      request.on('data', (chunk: Buffer) => {
        doneBytes += chunk.byteLength;
        if (afterBytes > 0) onward.write(chunk);
        if (doneBytes < afterBytes) return;
        onward.destroy();
        request.socket.destroy();
      });
    } else request.pipe(onward);
  };
  const server = createServer(pass).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

describe('who is let in', () => {
  /** User ci, password letmein. */
  const users = 'ci:$2y$05$abcdefghijklmnopqrstuuKwWV7ESJpzKzf9FQg57dBvMuv92X9HS\n';
  const login = Buffer.from('ci:letmein').toString('base64');
  const config = (host: string, auth = login): string => JSON.stringify({ auths: { [host]: { auth } } });

  async function withUsers(): Promise<string> {
    const file = join(tempFolder('users'), 'users');
    writeFileSync(file, users);
    return (await registry(`  htpasswd: { realm: team, path: ${file} }`)).host;
  }

  test('is whoever has a login for docker or podman, in the environment, or in .netrc', async () => {
    const host = await withUsers();
    const home = tempFolder('home');
    mkdirSync(join(home, '.docker'));
    const docker = join(home, '.docker/config.json');
    writeFileSync(docker, config(host));
    await shelf(host, { HOME: home }).write('a', text('with docker’s file'), signal);
    rmSync(docker);
    await expect(shelf(host, { HOME: home }).read('a', signal)).rejects.toThrow('it does not let us in');
    writeFileSync(join(home, 'auth.json'), config(host));
    writeFileSync(join(home, 'netrc'), 'machine 127.0.0.1 login ci password letmein\n');
    const ways: Environment[] = [
      { HOME: home, REGISTRY_AUTH_FILE: join(home, 'auth.json') },
      { HOME: home, DOCKER_AUTH_CONFIG: config(host) },
      { HOME: home, NETRC: join(home, 'netrc') },
    ];
    for (const env of ways) expect(await read(shelf(host, env), 'a')).toBe('with docker’s file');
  });

  test('is nobody else, and what was shown stands in no message', async () => {
    const host = await withUsers();
    const wrong = Buffer.from('ci:hushhush').toString('base64');
    const ways: Environment[] = [
      nobody,
      { ...nobody, DOCKER_AUTH_CONFIG: config(host, wrong) },
      { ...nobody, DOCKER_AUTH_CONFIG: config('other.example') },
      { ...nobody, DOCKER_AUTH_CONFIG: 'no JSON' },
      { ...nobody, CAIRN_CACHE_TOKEN: `${host}=hushhush` },
    ];
    for (const env of ways) {
      const failing = shelf(host, env).write('a', text('x'), signal);
      const error = await failing.then(
        () => undefined,
        (caught: unknown) => caught as Error,
      );
      expect(error?.message).toMatch(/^it does not let us in/);
      for (const secret of ['hushhush', wrong])
        expect(JSON.stringify([error?.message, error?.stack])).not.toContain(secret);
    }
  });

  interface AskedForToken {
    readonly method: string;
    readonly scope: string;
    readonly authorization: string | undefined;
    /** What was sent, but for what stands in the URL for others. */
    readonly form: Readonly<Record<string, string>>;
  }

  /** A registry that sends everybody to a server which gives tokens: whoever it knows may write, and everybody read. */
  async function withTokens(isKnown: (asked: AskedForToken) => boolean) {
    const authority = new Authority(tempFolder('authority'));
    const { key, cert } = authority.issue('tokens');
    const bundle = join(tempFolder('bundle'), 'authority.cert');
    writeFileSync(bundle, authority.cert);
    const asked: AskedForToken[] = [];
    const server = createServer((request, response) => {
      void (async () => {
        const { method = '', headers, url } = request;
        const form = new URLSearchParams(await textOf(request));
        const { searchParams } = new URL(url!, 'http://here');
        const parameters = method === 'POST' ? form : searchParams;
        const scope = parameters.get('scope')!;
        const one = { method, scope, authorization: headers.authorization, form: Object.fromEntries(form) };
        asked.push(one);
        const [, name, actions] = scope.split(':') as [string, string, string];
        if (method === 'POST' && !isKnown(one)) {
          response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
          return;
        }
        const allowed = isKnown(one) ? actions.split(',') : ['pull'];
        const access = [{ type: 'repository', name, actions: allowed }];
        const token = tokenOf({ key, cert, access, audience: parameters.get('service')! });
        const named = method === 'POST' ? { access_token: token } : { token };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ ...named, expires_in: 0 }));
      })();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    const { host } = await registry(
      `  token: { realm: '${realm}', service: the-registry, issuer: the-issuer, rootcertbundle: ${bundle} }`,
    );
    return { host, asked };
  }

  test('shows whoever gives tokens a login, and the registry the token, anew when it is no longer good', async () => {
    const { host, asked } = await withTokens(({ authorization }) => authorization === `Basic ${login}`);
    const ci = shelf(host, { ...nobody, DOCKER_AUTH_CONFIG: config(host) });
    await ci.write('a', text('with a token'), signal);
    expect(asked.at(-1)).toMatchObject({
      method: 'GET',
      scope: 'repository:team/cache:pull,push',
      authorization: `Basic ${login}`,
    });
    const before = asked.length;
    // Everybody may read.
    expect(await read(shelf(host), 'a')).toBe('with a token');
    const anonymous = {
      method: 'GET',
      scope: 'repository:team/cache:pull',
      authorization: undefined,
      form: {},
    };
    expect(asked.slice(before)).toEqual([anonymous, anonymous]);
    await expect(shelf(host).write('a', text('x'), signal)).rejects.toThrow('it does not let us');
  });

  test('has an identity token exchanged where the registry sends for tokens: in no URL, in no header, and again when it has to be', async () => {
    const token = 'an identity+token&with=odd/characters';
    const { host, asked } = await withTokens(({ form }) => form['refresh_token'] === token);
    const kept = (identitytoken: string): Environment => ({
      ...nobody,
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: { auth: login, identitytoken } } }),
    });
    const ci = shelf(host, kept(token));
    await ci.write('a', text('with an identity token'), signal);
    const exchanged = (scope: string) => ({
      ...{ method: 'POST', scope, authorization: undefined },
      form: {
        ...{ grant_type: 'refresh_token', service: 'the-registry', client_id: 'cairn' },
        ...{ scope, refresh_token: token },
      },
    });
    expect(asked.at(-1)).toEqual(exchanged('repository:team/cache:pull,push'));
    const before = asked.length;
    expect(await read(ci, 'a')).toBe('with an identity token');
    const again = exchanged('repository:team/cache:pull');
    expect(asked.slice(before)).toEqual([again, again]);

    const failing = shelf(host, kept('hushhush')).write('b', text('x'), signal);
    const error = await failing.then(
      () => undefined,
      (caught: unknown) => caught as Error,
    );
    expect(error?.message).toMatch(
      /gives no token for it and the identity token that is kept \(HTTP status 401\)$/,
    );
    expect(JSON.stringify([error?.message, error?.stack])).not.toContain('hushhush');
    // It is for nobody who may be asked without it.
    expect(await read(shelf(host), 'a')).toBe('with an identity token');
  });

  test('shows a login to no server that is not encrypted, whoever names it', async () => {
    const seen: (string | undefined)[] = [];
    const front = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response
        .writeHead(401, { 'www-authenticate': 'Bearer realm="http://tokens.example/token",service="x"' })
        .end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => front.once('listening', resolve));
    onTestFinished(() => void front.close());
    const host = `127.0.0.1:${(front.address() as AddressInfo).port}`;
    const env = { ...nobody, DOCKER_AUTH_CONFIG: config(host) };
    await expect(shelf(host, env).read('a', signal)).rejects.toThrow(
      'it sends us to http://tokens.example for a token, which is not encrypted',
    );
    expect(seen).toEqual([undefined]);
  });
});

/** A JSON Web Token as the distribution's token authentication has it. */
function tokenOf({
  key,
  cert,
  access,
  audience,
}: {
  readonly key: string;
  readonly cert: string;
  readonly access: unknown;
  readonly audience: string;
}): string {
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const x5c = [cert.replace(/-----[^-]*-----|\s/g, '')];
  const seconds = Math.floor(Date.now() / 1000);
  const times = { exp: seconds + 300, nbf: seconds - 300, iat: seconds };
  const claims = {
    iss: 'the-issuer',
    sub: 'ci',
    aud: audience,
    jti: randomBytes(8).toString('hex'),
    ...times,
    access,
  };
  const head = `${encoded({ typ: 'JWT', alg: 'ES256', x5c })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(head), { key, dsaEncoding: 'ieee-p1363' });
  return `${head}.${signature.toString('base64url')}`;
}

describe('what is no registry, or none that can be asked', () => {
  test('says so', async () => {
    const web = createServer((_, response) => void response.writeHead(404).end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => web.once('listening', resolve));
    onTestFinished(() => void web.close());
    const at = `127.0.0.1:${(web.address() as AddressInfo).port}`;
    await expect(shelf(at).read('a', signal)).rejects.toThrow('it is no registry (HTTP status 404 to /v2/)');
    await expect(shelf('127.0.0.1:1').read('a', signal)).rejects.toThrow('ECONNREFUSED');
  });

  test('what stands under a tag and is no file of a cache is not taken for one', async () => {
    const { host, folder } = await registry();
    await shelf(host).write('records/0123456789abcdef', text('x'), signal);
    const manifest = await fetch(`http://${host}/v2/team/cache/manifests/records-0123456789abcdef`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const type = manifest.headers.get('content-type')!;
    const image = (await manifest.text()).replace('vnd.cairn.cache.file.v1', 'vnd.someone.else');
    await fetch(`http://${host}/v2/team/cache/manifests/content-${'a'.repeat(64)}`, {
      method: 'PUT',
      headers: { 'content-type': type },
      body: image,
    });
    await expect(shelf(host).read(`content/${'a'.repeat(64)}`, signal)).rejects.toThrow(
      'it is no file of a cache',
    );
    expect(readdirSync(folder)).toContain('kept');
  });
});

describe('URLs', () => {
  test.each([
    ['oci://registry.example/team/cache', 'https://registry.example', 'team/cache'],
    ['oci://registry.example:5000/cache/', 'https://registry.example:5000', 'cache'],
    ['oci://localhost:5000/a/b__c/d.e-f', 'http://localhost:5000', 'a/b__c/d.e-f'],
    ['oci://[::1]:5000/cache', 'http://[::1]:5000', 'cache'],
    ['oci://docker.io/team/cache', 'https://registry-1.docker.io', 'team/cache'],
  ])('%s is a repository', (url, origin, repository) => {
    expect(parseOciUrl(new URL(url))).toMatchObject({ origin, repository });
  });

  test.each([
    ['oci://registry.example', 'it names no repository'],
    ['oci:///cache', 'it names no registry'],
    ['oci://registry.example/cache:latest', 'it names a tag or a digest'],
    ['oci://registry.example/Team', 'names of repositories are lower-case letters'],
    ['oci://registry.example/a//b', 'names of repositories are lower-case letters'],
    ['oci://ci:letmein@registry.example/cache', 'a user or password in a URL'],
    ['oci://registry.example/cache?tag=x', 'it has more than a path'],
  ])('%s is none', (url, problem) => {
    expect(() => openCache(url, { env: nobody })).toThrow(problem);
  });
});

test('what a registry wants to see is read as RFC 9110 has it', () => {
  expect(parseChallenge('Bearer realm="https://a.example/t?x=1,2",service="a \\"b\\"", scope=x')).toEqual({
    scheme: 'bearer',
    parameters: { realm: 'https://a.example/t?x=1,2', service: 'a "b"', scope: 'x' },
  });
  expect(parseChallenge('Basic realm=team').scheme).toBe('basic');
  expect(parseChallenge('').scheme).toBe('');
});
