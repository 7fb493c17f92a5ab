// `cairn lock` against mirrors whose index lists what they do not serve.

import { beforeAll, expect, test } from 'vitest';
import { serve } from '../../support/web-server.ts';
import { failureOf } from '../../support/failure-of.ts';
import { archiveFiles, mirrorsAt, serveArchive, signingKey, type SigningKey } from './fake-archive.ts';
import { sed, seed, updateWith, type Update } from './updating.ts';

const [newSource, oldSource] = ['pool/s/sed_1%3a4.10~rc1.orig.tar.xz', 'pool/s/sed_4.9.orig.tar.xz'];
const [newPackage, oldPackage] = ['pool/s/sed_4.10_amd64.deb', 'pool/s/sed_4.9_amd64.deb'];

function hash(digit: number): string {
  return String(digit).repeat(64);
}

const sources = [
  `Package: sed\nVersion: 1:4.10~rc1-1\nDirectory: pool/s\nChecksums-Sha256:\n ${hash(1)} 10 sed_1%3a4.10~rc1.orig.tar.xz\n`,
  `Package: sed\nVersion: 4.9-2\nDirectory: pool/s\nChecksums-Sha256:\n ${hash(2)} 10 sed_4.9.orig.tar.xz\n`,
];
const packages = [
  `Package: sed\nVersion: 4.10-1\nDepends: libnew\nFilename: ${newPackage}\nSize: 5\nSHA256: ${hash(3)}\n`,
  `Package: sed\nVersion: 4.9-2\nFilename: ${oldPackage}\nSize: 5\nSHA256: ${hash(4)}\n`,
  `Package: libnew\nVersion: 1\nFilename: pool/l/libnew.deb\nSize: 5\nSHA256: ${hash(5)}\n`,
];

let key: SigningKey;
beforeAll(async () => (key = await signingKey()));
const update = (asked: Update) => updateWith(key, asked);

async function archive(only: readonly string[] = sources): Promise<Map<string, Buffer>> {
  return archiveFiles({ sources: only.join('\n'), packages: packages.join('\n'), signers: [key] });
}

test('what is served is pinned, and each file is asked for once', async () => {
  const { server, mirrors } = await serveArchive(await archive());
  const { lock, notices } = await update({ inputs: { sed, seed, again: seed }, mirrors });
  expect(lock.inputs['sed']?.pins.map(({ version }) => version)).toEqual(['4.10~rc1']);
  expect(lock.inputs['seed']?.pins.map(({ version }) => version)).toEqual(['1', '4.10-1']);
  expect(server.requests.filter((line) => line.startsWith('HEAD'))).toHaveLength(3);
  expect(notices.join('\n')).not.toContain('serves');
});

test('of a source that is listed and not served, the newest version that is served is taken, and it says so', async () => {
  const { server, mirrors } = await serveArchive(await archive(), [newSource]);
  const { lock, notices } = await update({ inputs: { sed }, mirrors });
  expect(lock.inputs['sed']?.pins[0]).toMatchObject({ version: '4.9', sha256: hash(2) });
  expect(notices).toContain(
    `sed: Debian lists sed 4.10~rc1, but no mirror serves it, and 4.9 is taken\n  ${server.base}/${newSource}: HTTP status 404`,
  );
});

test('of packages that are listed and not served, the newest that are served are taken, with what those need', async () => {
  const { mirrors } = await serveArchive(await archive(), [newPackage]);
  const { lock, notices } = await update({ inputs: { seed }, mirrors });
  expect(lock.inputs['seed']?.pins.map(({ name, version }) => `${name} ${version}`)).toEqual(['sed 4.9-2']);
  expect(notices.join('\n')).toContain('lists sed 4.10-1, but no mirror serves it, and 4.9-2 is taken');
});

test('an input of which nothing is served is an error that names it, its versions and its places', async () => {
  const { server, mirrors } = await serveArchive(await archive(), [newSource, oldSource]);
  const error = await failureOf(update({ inputs: { sed }, mirrors }));
  expect(error.code).toBe('FETCH_PIN_GONE');
  expect(error.message).toContain('input "sed"');
  expect(error.message).toContain(`sed 4.10~rc1: ${server.base}/${newSource}: HTTP status 404`);
  expect(error.message).toContain(`sed 4.9: ${server.base}/${oldSource}: HTTP status 404`);
  expect(error.hint).toContain('CAIRN_MIRROR_DEBIAN');
});

test('what was locked stays when nothing of what is listed is served, as long as it is served itself', async () => {
  const before = await serveArchive(await archive(sources.slice(1)));
  const { lock } = await update({ inputs: { sed }, mirrors: before.mirrors });
  const half = await serveArchive(await archive(sources.slice(0, 1)), [newSource]);
  const after = await update({ inputs: { sed }, lock, mirrors: half.mirrors });
  expect(after.changes).toEqual([]);
  expect(after.notices.join('\n')).toContain('sed 4.10~rc1, but no mirror serves it, and 4.9 is taken');
  const none = await serveArchive(await archive(sources.slice(0, 1)), [newSource, oldSource]);
  const error = await failureOf(update({ inputs: { sed }, lock, mirrors: none.mirrors }));
  expect(error.code).toBe('FETCH_PIN_GONE');
});

test('a pin to which people added a URL that still has it is served', async () => {
  const { server, mirrors } = await serveArchive(await archive(sources.slice(1)));
  const { lock } = await update({ inputs: { sed }, mirrors });
  const [pin] = lock.inputs['sed']!.pins;
  const pins = [{ ...pin!, urls: [...pin!.urls, `${server.base}/pool/kept`] }];
  const kept = { version: 1, inputs: { sed: { ...lock.inputs['sed']!, pins } } } as const;
  const gone = await serveArchive(await archive(sources.slice(1)), [oldSource]);
  const after = await update({ inputs: { sed }, lock: kept, mirrors: gone.mirrors });
  expect(after.lock).toEqual(kept);
  expect(after.notices.join('\n')).not.toContain('serves');
});

test('a file that one of two mirrors has is served', async () => {
  const files = await archive();
  const [first, second] = [await serveArchive(files, [newSource]), await serveArchive(files)];
  const { lock } = await update({ inputs: { sed }, mirrors: mirrorsAt(first.server, second.server) });
  expect(lock.inputs['sed']?.pins[0]?.version).toBe('4.10~rc1');
});

test('a file of another size is not the one that is listed, and of a server without HEAD one byte is asked for', async () => {
  const files = await archive();
  const server = await serve((request, response) => {
    const file = files.get(request.url?.slice(1) ?? '');
    if (file !== undefined) response.end(file);
    else if (request.method === 'HEAD') response.writeHead(405).end();
    else {
      const size = request.url?.endsWith(newSource) === true ? 11 : 10;
      response.writeHead(206, { 'content-range': `bytes 0-0/${size}` }).end('x');
    }
  });
  const { lock, notices } = await update({ inputs: { sed }, mirrors: mirrorsAt(server) });
  expect(lock.inputs['sed']?.pins[0]?.version).toBe('4.9');
  expect(notices.join('\n')).toContain('it has 11 bytes there, and 10 in the index');
});

test('a mirror that does not say whether it has a file is no reason to pin an older one, and it says so', async () => {
  const files = await archive();
  const server = await serve((request, response) => {
    const file = files.get(request.url?.slice(1) ?? '');
    if (file === undefined) response.writeHead(502).end();
    else response.end(file);
  });
  const { lock, notices } = await update({ inputs: { sed }, mirrors: mirrorsAt(server) });
  expect(lock.inputs['sed']?.pins[0]?.version).toBe('4.10~rc1');
  expect(notices.join('\n')).toContain('whether sed 4.10~rc1 is served could not be found out');
  expect(notices.join('\n')).toContain('HTTP status 502');
});

test('mirrors are asked for few files at once', async () => {
  const many = Array.from({ length: 40 }, (_, index) => `p${index}`);
  const listed = many.map(
    (name) => `Package: ${name}\nVersion: 1\nFilename: pool/${name}\nSize: 5\nSHA256: ${hash(6)}\n`,
  );
  const files = await archiveFiles({ packages: listed.join('\n'), signers: [key] });
  let [atOnce, most] = [0, 0];
  const server = await serve((request, response) => {
    const file = files.get(request.url?.slice(1) ?? '');
    if (file !== undefined) return void response.end(file);
    most = Math.max(most, ++atOnce);
    response.on('close', () => atOnce--);
    setImmediate(() => response.end());
  });
  await update({ inputs: { many: { ...seed, packages: many } }, mirrors: mirrorsAt(server) });
  expect(server.requests.filter((line) => line.startsWith('HEAD'))).toHaveLength(40);
  expect(most).toBeLessThanOrEqual(4);
});
