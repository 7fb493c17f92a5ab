// Downloads against real servers that behave as servers do on bad days.

import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { fetchBlob } from '../../../engine/sources/fetch.ts';
import type { FetchRequest } from '../../../engine/sources/fetch-request.ts';
import { openMirrors } from '../../../engine/sources/mirrors.ts';
import { digestHash, digestOf } from '../../../store/base/digest.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { sendRange, serve } from '../../support/web-server.ts';
import { failureOf } from '../../support/failure-of.ts';
import { fetchInto, noMirrors, partialOf, sharedStore, someFile } from './fetching.ts';

const store = sharedStore();

test('a pinned file is downloaded, verified and in the store, and nothing is left over', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((_, response) => response.end(content));
  expect(await fetchInto(store(), { ...request, urls: [`${server.base}/sed`] })).toBe(digest);
  expect(Buffer.compare(await store().blobs.read(digest), content)).toBe(0);
  expect(existsSync(partialOf(store(), request))).toBe(false);
});

test('a file whose size is not pinned is verified by its hash alone', async () => {
  const { content, digest, request } = someFile();
  const { name, sha256 } = request;
  const server = await serve((_, response) => response.end(content));
  expect(await fetchInto(store(), { name, sha256, urls: [server.base] })).toBe(digest);
});

test('what is in the store already is not asked for', async () => {
  const { content, request } = someFile();
  const server = await serve((_, response) => response.end(content));
  for (let round = 0; round < 2; round++) await fetchInto(store(), { ...request, urls: [server.base] });
  expect(server.requests).toHaveLength(1);
});

test('a proxy that the environment names is asked instead of the server', async () => {
  const { content, digest, request } = someFile();
  const proxy = await serve((_, response) => response.end(content));
  vi.stubEnv('http_proxy', proxy.base);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await fetchInto(store(), { ...request, urls: ['http://pool.test/sed'] })).toBe(digest);
  expect(proxy.requests).toEqual(['GET http://pool.test/sed']);
});

test('a connection that drops again and again is continued each time where it stopped', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((asked, response) => {
    const start = Number(/\d+/.exec(asked.headers.range ?? '')?.[0] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': content.length - start,
      'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
    });
    if (content.length - start <= 50_000) response.end(content.subarray(start));
    else
      sendAndDrop(response, content.subarray(start, start + 50_000), { request, keptBytes: start + 50_000 });
  });
  expect(await fetchInto(store(), { ...request, urls: [server.base] })).toBe(digest);
  const starts = server.requests.map((line) => Number(/bytes=(\d+)/.exec(line)?.[1] ?? 0));
  expect(starts.length).toBeGreaterThan(1);
  expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
});

test('a connection that drops at a server without ranges starts over', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': content.length });
    if (server.requests.length > 1) response.end(content);
    else sendAndDrop(response, content.subarray(0, 100_000), { request, keptBytes: 100_000 });
  });
  expect(await fetchInto(store(), { ...request, urls: [server.base] })).toBe(digest);
  expect(server.requests[1]).toMatch(/bytes=/);
});

test('a response that just ends too early, without having said how long it is, is continued', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((asked, response) => {
    if (server.requests.length > 1) {
      sendRange(asked, response, { content });
      return;
    }
    response.write(content.subarray(0, 100_000));
    response.end();
  });
  expect(await fetchInto(store(), { ...request, urls: [server.base] })).toBe(digest);
});

test('a file that was replaced between two attempts is not continued', async () => {
  const { content, digest, request } = someFile();
  const old = randomBytes(content.length);
  const server = await serve((asked, response) => {
    if (server.requests.length > 1) {
      sendRange(asked, response, { content, tag: '"new"' });
      return;
    }
    response.writeHead(200, { 'content-length': old.length, etag: '"old"' });
    sendAndDrop(response, old.subarray(0, 100_000), { request, keptBytes: 100_000 });
  });
  expect(await fetchInto(store(), { ...request, urls: [server.base] })).toBe(digest);
  expect(server.requests).toHaveLength(2);
});

test('an interrupted download is continued by the next fetch', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((asked, response) => sendRange(asked, response, { content }));
  writeFileSync(partialOf(store(), request), content.subarray(0, 123_456));
  expect(await fetchInto(store(), { ...request, urls: [`${server.base}/f`] })).toBe(digest);
  expect(server.requests).toEqual(['GET /f bytes=123456-']);
});

test('a partial download that turns out wrong is started over once', async () => {
  let served: Buffer;
  const server = await serve((asked, response) => sendRange(asked, response, { content: served }));
  for (const partial of [1000, 300_000, 300_001].map((sizeBytes) => randomBytes(sizeBytes))) {
    const other = someFile();
    writeFileSync(partialOf(store(), other.request), partial);
    served = other.content;
    expect(await fetchInto(store(), { ...other.request, urls: [server.base] })).toBe(other.digest);
  }
});

test('a partial download that is whole already needs no server', async () => {
  const { content, digest, request } = someFile();
  writeFileSync(partialOf(store(), request), content);
  expect(await fetchInto(store(), { ...request, urls: ['http://127.0.0.1:9/'] })).toBe(digest);
});

test('a server that fails for a while is asked again', async () => {
  const { content, digest, request } = someFile();
  const statuses = [500, 429, 503];
  const server = await serve((_, response) => {
    const status = statuses.shift();
    if (status === undefined) response.end(content);
    else response.writeHead(status, { 'retry-after': '0' }).end('busy');
  });
  expect(await fetchInto(store(), { ...request, urls: [server.base] })).toBe(digest);
  expect(server.requests).toHaveLength(4);
});

test('a server that keeps failing is given up after four attempts, and the next one is asked', async () => {
  const { content, digest, request } = someFile();
  const broken = await serve((_, response) => response.writeHead(502).end());
  const good = await serve((_, response) => response.end(content));
  expect(await fetchInto(store(), { ...request, urls: [broken.base, good.base] })).toBe(digest);
  expect(broken.requests).toHaveLength(4);
});

test('when no server answers as it should, each is named with its reason', async () => {
  const { request } = someFile();
  const broken = await serve((_, response) => response.writeHead(500).end());
  const closed = await serve((_, response) => response.writeHead(403).end());
  const urls = [`${broken.base}/a`, `${closed.base}/b`, 'http://127.0.0.1:9/c'];
  const error = await failureOf(fetchInto(store(), { ...request, urls }));
  expect(error.code).toBe('FETCH_FAILED');
  expect(error.message).toContain(`${broken.base}/a: HTTP status 500`);
  expect(error.message).toContain(`${closed.base}/b: HTTP status 403`);
  expect(error.message).toMatch(/127\.0\.0\.1:9\/c: \S/);
});

test('a file that is not there is not asked for twice; the next URL is', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((asked, response) => {
    if (asked.url === '/old') response.writeHead(404).end();
    else response.end(content);
  });
  const urls = [`${server.base}/old`, `${server.base}/new`];
  expect(await fetchInto(store(), { ...request, urls })).toBe(digest);
  expect(server.requests).toEqual(['GET /old', 'GET /new']);
});

test('a pin that has left all its places says which package it is, where it was, and how to move it', async () => {
  const { request } = someFile();
  const server = await serve((asked, response) => response.writeHead(asked.url === '/a' ? 404 : 410).end());
  const error = await failureOf(
    fetchInto(
      store(),
      { ...request, urls: [`${server.base}/a`, `${server.base}/b`] },
      { origin: { inputs: ['sed', 'seed'], name: 'sed', version: '4.9' } },
    ),
  );
  expect(error.code).toBe('FETCH_PIN_GONE');
  expect(error.message).toContain('sed 4.9 (sed-4.9.tar.xz)');
  expect(error.message).toContain(`${server.base}/a`);
  expect(error.message).toContain(`${server.base}/b`);
  expect(error.hint).toContain('`cairn lock sed seed`');
  expect(error.hint).toContain('CAIRN_SOURCES');
});

describe('what has left its mirrors', () => {
  const origin = { inputs: ['sed'], name: 'sed', version: '4.9', servedAt: '2026-11-30T14:04:57Z' };
  const path = 'pool/main/s/sed/sed_4.9.tar.xz';
  const kept = `/archive/debian/20261130T140457Z/${path}`;
  const urls = [`mirror://debian/${path}`];

  /** A mirror that answers as it is told to, and a snapshot service, on one server. */
  async function serveBoth(mirrorStatus: number, content: Buffer | undefined) {
    const server = await serve((asked, response) => {
      if (asked.url === kept && content !== undefined) response.end(content);
      else response.writeHead(asked.url?.startsWith('/mirror/') === true ? mirrorStatus : 404).end();
    });
    const configured = { debian: [`${server.base}/mirror`], snapshot: [`${server.base}/archive`] };
    return { server, mirrors: openMirrors({ configured, env: {}, aptFolder: '/nonexistent' }) };
  }

  it('is taken from where it is kept by the day on which it was served', async () => {
    const { content, digest, request } = someFile();
    const { server, mirrors } = await serveBoth(404, content);
    expect(await fetchInto(store(), { ...request, urls }, { mirrors, origin })).toBe(digest);
    expect(server.requests).toEqual([`GET /mirror/${path}`, `GET ${kept}`]);
  });

  it('is not looked for there when a mirror only has a bad day, or nobody knows when it was served', async () => {
    const { content, request } = someFile();
    for (const [status, servedAt, code] of [
      [403, origin.servedAt, 'FETCH_FAILED'],
      [404, undefined, 'FETCH_PIN_GONE'],
    ] as const) {
      const { server, mirrors } = await serveBoth(status, content);
      const error = await failureOf(
        fetchInto(store(), { ...request, urls }, { mirrors, origin: { ...origin, servedAt } }),
      );
      expect(error.code).toBe(code);
      expect(server.requests).toEqual([`GET /mirror/${path}`]);
    }
  });

  it('is verified there as everywhere', async () => {
    const { request, content } = someFile();
    const { mirrors } = await serveBoth(404, randomBytes(content.length));
    const error = await failureOf(fetchInto(store(), { ...request, urls }, { mirrors, origin }));
    expect(error.code).toBe('FETCH_HASH_MISMATCH');
  });

  it('and is not kept either, or nobody answers there, is gone, and it is said where it was looked for', async () => {
    const { request } = someFile();
    const { server, mirrors } = await serveBoth(404, undefined);
    const error = await failureOf(fetchInto(store(), { ...request, urls }, { mirrors, origin }));
    expect(error).toMatchObject({
      code: 'FETCH_PIN_GONE',
      hint: expect.stringContaining('CAIRN_MIRROR_SNAPSHOT') as string,
    });
    expect(error.message).toContain(`where such files are kept\n  ${server.base}${kept}: `);
    const configured = { debian: [`${server.base}/mirror`], snapshot: ['http://127.0.0.1:9'] };
    const silent = openMirrors({ configured, env: {}, aptFolder: '/nonexistent' });
    const unanswered = await failureOf(
      fetchInto(store(), { ...request, urls }, { mirrors: silent, origin, patience: { attempts: 1 } }),
    );
    expect(unanswered.code).toBe('FETCH_PIN_GONE');
  });
});

test('other content is refused with both hashes and the URL, and nothing of it is kept', async () => {
  const { request, content } = someFile();
  const forged = randomBytes(content.length);
  const server = await serve((_, response) => response.end(forged));
  const error = await failureOf(fetchInto(store(), { ...request, urls: [`${server.base}/f`] }));
  expect(error.code).toBe('FETCH_HASH_MISMATCH');
  expect(error.message).toContain(request.sha256);
  expect(error.message).toContain(digestHash(digestOf(forged)));
  expect(error.message).toContain(`${server.base}/f`);
  expect(error.hint).toContain(`write sha256: '${digestHash(digestOf(forged))}'`);
  expect(store().blobs.has(digestOf(forged))).toBe(false);
  expect(existsSync(partialOf(store(), request))).toBe(false);
  expect(server.requests).toHaveLength(1);
});

test('other content at one URL does not keep the next from being asked', async () => {
  const { content, digest, request } = someFile();
  const bad = await serve((_, response) => response.end('<html>please log in</html>'));
  const good = await serve((_, response) => response.end(content));
  expect(await fetchInto(store(), { ...request, urls: [bad.base, good.base] })).toBe(digest);
});

test('content longer than pinned is not read to its end', async () => {
  const { content, request } = someFile();
  let closed: Promise<unknown> | undefined;
  const server = await serve((_, response) => {
    const more = () => response.write(content, () => response.destroyed || more());
    closed = new Promise((resolve) => response.on('close', resolve));
    more();
  });
  const error = await failureOf(fetchInto(store(), { ...request, urls: [server.base] }));
  expect(error.code).toBe('FETCH_HASH_MISMATCH');
  expect(error.message).toContain('more than 300000 bytes');
  await closed;
});

test('content that is announced to be longer than pinned is not read at all', async () => {
  const { request } = someFile();
  const server = await serve((_, response) => {
    response.writeHead(200, { 'content-length': 10 ** 12 });
    response.flushHeaders();
  });
  const error = await failureOf(fetchInto(store(), { ...request, urls: [server.base] }));
  expect(error.code).toBe('FETCH_HASH_MISMATCH');
});

test('content that ends earlier than pinned is refused', async () => {
  const { content, request } = someFile();
  const short = content.subarray(0, 1000);
  for (const announce of [true, false]) {
    const server = await serve((asked, response) => {
      if (announce) {
        sendRange(asked, response, { content: short });
        return;
      }
      response.writeHead(asked.headers.range === undefined ? 200 : 416).flushHeaders();
      response.end(asked.headers.range === undefined ? short : undefined);
    });
    const error = await failureOf(fetchInto(store(), { ...request, urls: [server.base] }));
    expect(error.code).toBe('FETCH_HASH_MISMATCH');
  }
});

test('a server that insists on encoding what it sends is refused', async () => {
  const { content, request } = someFile();
  const server = await serve((_, response) => response.setHeader('content-encoding', 'gzip').end(content));
  const error = await failureOf(fetchInto(store(), { ...request, urls: [server.base] }));
  expect(error.message).toContain('encoded (gzip)');
});

test('a connection that goes silent is dropped and continued', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((asked, response) => {
    if (server.requests.length > 1) {
      sendRange(asked, response, { content });
      return;
    }
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1000));
  });
  const options = { patience: { idleMs: 300 } };
  expect(await fetchInto(store(), { ...request, urls: [server.base] }, options)).toBe(digest);
});

test('a server that takes a request and never answers is given up', async () => {
  const { request } = someFile();
  const server = await serve(() => undefined);
  const options = { patience: { connectMs: 50, attempts: 2 } };
  const error = await failureOf(fetchInto(store(), { ...request, urls: [server.base] }, options));
  expect(error.message).toContain('no answer for 0.05 s');
  expect(server.requests).toHaveLength(2);
});

test('user and password are sent to the server and shown to nobody', async () => {
  const { request } = someFile();
  let seen: string | undefined;
  const server = await serve((asked, response) => {
    seen = asked.headers.authorization;
    response.writeHead(404).end();
  });
  const url = `${server.base.replace('//', '//anna:s%40cret@')}/f?token=hunter2`;
  const error = await failureOf(fetchInto(store(), { ...request, urls: [url] }));
  expect(Buffer.from(seen?.split(' ')[1] ?? '', 'base64').toString()).toBe('anna:s@cret');
  expect(error.message).toContain(`${server.base}/f?token=…`);
  expect(`${error.message} ${error.hint}`).not.toMatch(/anna|cret|hunter2/);
});

test('progress is told in bytes of the whole file and ends with it', async () => {
  const { content, request } = someFile();
  const server = await serve((_, response) => response.end(content));
  const seen: [number, number | undefined][] = [];
  await fetchInto(
    store(),
    { ...request, urls: [server.base] },
    { onProgress: (done, total) => seen.push([done, total]) },
  );
  expect(seen.at(-1)).toEqual([content.length, content.length]);
  for (const [done, total] of seen) {
    expect(done).toBeLessThanOrEqual(content.length);
    expect(total).toBe(content.length);
  }
});

test('an aborted download ends with the reason, and what has arrived is kept for the next', async () => {
  const { content, digest, request } = someFile();
  const controller = new AbortController();
  const server = await serve((asked, response) => {
    if (server.requests.length > 1) {
      sendRange(asked, response, { content });
      return;
    }
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 100_000));
  });
  const fetching = fetchInto(
    store(),
    { ...request, urls: [server.base] },
    { signal: controller.signal, onProgress: () => controller.abort(new Error('stop it')) },
  );
  await expect(fetching).rejects.toThrow('stop it');
  expect(existsSync(partialOf(store(), request))).toBe(true);
  expect(await fetchInto(store(), { ...request, urls: [server.base] })).toBe(digest);
  expect(server.requests[1]).toMatch(/bytes=/);
});

test('without a network only folders of this machine are looked into', async () => {
  const { content, digest, request } = someFile();
  const file = join(tempFolder(), 'sed.tar.xz');
  writeFileSync(file, content);
  const server = await serve((_, response) => response.end(content));
  const offline = { offline: true };
  const refused = await failureOf(fetchInto(store(), { ...request, urls: [server.base] }, offline));
  expect(refused.code).toBe('FETCH_OFFLINE');
  const missing = [server.base, pathToFileURL(`${file}.not`).href];
  expect((await failureOf(fetchInto(store(), { ...request, urls: missing }, offline))).code).toBe(
    'FETCH_OFFLINE',
  );
  const urls = [server.base, pathToFileURL(file).href];
  expect(await fetchInto(store(), { ...request, urls }, offline)).toBe(digest);
  expect(server.requests).toEqual([]);
  expect(readFileSync(file).equals(content)).toBe(true);
});

test('a mirror URL is tried at each of the mirror bases', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((asked, response) => {
    if (asked.url === '/two/pool/s/sed') response.end(content);
    else response.writeHead(404).end();
  });
  const env = { CAIRN_MIRROR_TEAM: `${server.base}/one ${server.base}/two` };
  const mirrors = openMirrors({ env, aptFolder: '/nonexistent' });
  const urls = ['mirror://team/pool/s/sed'];
  expect(await fetchInto(store(), { ...request, urls }, { mirrors })).toBe(digest);
  expect(server.requests).toEqual(['GET /one/pool/s/sed', 'GET /two/pool/s/sed']);
});

test('of two fetches of one file at once, one downloads at a time', async () => {
  const { content, digest, request } = someFile();
  let atOnce = 0;
  let most = 0;
  const server = await serve((_, response) => {
    most = Math.max(most, ++atOnce);
    response.on('close', () => atOnce--);
    response.end(content);
  });
  const urls = [server.base];
  const both = await Promise.all([0, 1].map(() => fetchInto(store(), { ...request, urls })));
  expect(both).toEqual([digest, digest]);
  expect(most).toBe(1);
});

test('a blob is not visible before its batch is committed', async () => {
  const { content, digest, request } = someFile();
  const server = await serve((_, response) => response.end(content));
  const batch = store().begin();
  const { signal } = new AbortController();
  await fetchBlob({ ...request, urls: [server.base] }, { store: store(), batch, mirrors: noMirrors, signal });
  expect(store().blobs.has(digest)).toBe(false);
  await batch.commit();
  expect(store().blobs.has(digest)).toBe(true);
});

/** Sends some bytes and drops the connection once they are kept: what is on its way when it drops may be lost. */
function sendAndDrop(
  response: ServerResponse,
  bytes: Uint8Array,
  { request, keptBytes }: { request: FetchRequest; keptBytes: number },
): void {
  const path = partialOf(store(), request);
  response.write(bytes);
  const poll = setInterval(() => {
    if (!response.destroyed && (statSync(path, { throwIfNoEntry: false })?.size ?? 0) < keptBytes) return;
    clearInterval(poll);
    response.destroy();
  }, 5);
}
