// `cairn lock` against a signed archive, and against archives that are not what they say.

import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { Lock } from '../../../engine/lock/lock-file.ts';
import { pinOrigins } from '../../../engine/lock/pins-for.ts';
import type { InputDeclaration } from '../../../engine/model/flake.ts';
import { openMirrors, type Mirrors } from '../../../engine/sources/mirrors.ts';
import { digestHash, digestOf } from '../../../store/base/digest.ts';
import { serve } from '../../support/web-server.ts';
import { failureOf } from '../../support/failure-of.ts';
import { archiveFiles, serveArchive, signingKey, type ArchiveSpec, type SigningKey } from './fake-archive.ts';
import { sed, seed, updateWith, type Update } from './updating.ts';

const [a, b, c] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const day = 24 * 3600 * 1000;

const sources = `
Package: sed
Version: 4.9-2
Directory: pool/main/s/sed
Checksums-Sha256:
 ${a} 1398 sed_4.9.orig.tar.xz
 ${b} 12 sed_4.9.orig.tar.xz.asc
 ${b} 99 sed_4.9-2.debian.tar.xz
 ${c} 11 sed_4.9-2.dsc
`;
const packages = `
Package: sed
Version: 4.9-2
Pre-Depends: libc6 (>= 2.38)
Filename: pool/main/s/sed/sed_4.9-2_amd64.deb
Size: 5
SHA256: ${b}

Package: libc6
Version: 2.41-12
Filename: pool/main/g/glibc/libc6_2.41-12_amd64.deb
Size: 6
SHA256: ${c}
`;

let key: SigningKey;
let otherKey: SigningKey;
const update = (asked: Update) => updateWith(key, asked);
beforeAll(async () => {
  key = await signingKey();
  otherKey = await signingKey();
});

async function mirrorOf(spec: Partial<ArchiveSpec> = {}): Promise<Mirrors> {
  return (await serveArchive(await archiveFiles({ sources, packages, signers: [key], ...spec }))).mirrors;
}

test('what no lock file can hold is not locked, whoever signed it', async () => {
  const mirrors = await mirrorOf({ packages: packages.replace(/^Size: .*\n/gm, '') });
  const error = await failureOf(update({ inputs: { seed }, mirrors }));
  expect(error.code).toBe('LOCK_INVALID');
  expect(error.message).toContain('what was found for input "seed" cannot be locked: pins[0].sizeBytes');
});

test('a source package is pinned at its original archive, binary packages with what they need', async () => {
  const { lock, changes } = await update({ inputs: { sed, seed }, mirrors: await mirrorOf() });
  expect(lock.inputs['sed']?.pins).toEqual([
    {
      name: 'sed',
      version: '4.9',
      urls: ['mirror://debian/pool/main/s/sed/sed_4.9.orig.tar.xz'],
      sha256: a,
      sizeBytes: 1398,
    },
  ]);
  expect(lock.inputs['seed']?.pins).toEqual([
    {
      name: 'libc6',
      version: '2.41-12',
      urls: ['mirror://debian/pool/main/g/glibc/libc6_2.41-12_amd64.deb'],
      sha256: c,
      sizeBytes: 6,
      source: { name: 'libc6', version: '2.41-12' },
    },
    {
      name: 'sed',
      version: '4.9-2',
      urls: ['mirror://debian/pool/main/s/sed/sed_4.9-2_amd64.deb'],
      sha256: b,
      sizeBytes: 5,
      source: { name: 'sed', version: '4.9-2' },
    },
  ]);
  expect(changes).toEqual([
    { input: 'sed', name: 'sed', from: undefined, to: '4.9' },
    { input: 'seed', name: 'libc6', from: undefined, to: '2.41-12' },
    { input: 'seed', name: 'sed', from: undefined, to: '4.9-2' },
  ]);
});

test('each index is read once, however many inputs need it', async () => {
  const { server, mirrors } = await serveArchive(await archiveFiles({ sources, packages, signers: [key] }));
  await update({ inputs: { one: sed, two: sed, three: seed, four: seed }, mirrors });
  expect(server.requests.filter((line) => line.startsWith('GET'))).toHaveLength(3);
});

test('extras, and versions kept only for old binaries, are not taken for the original archive, unless named', async () => {
  const extras = `
Package: groff
Version: 1.23-1
Directory: pool/g
Checksums-Sha256:
 ${b} 1 groff_1.23.orig-docs.tar.xz
 ${a} 2 groff_1.23.orig.tar.gz

Package: groff
Version: 1.24-1
Extra-Source-Only: yes
Directory: pool/g
Checksums-Sha256:
 ${b} 1 groff_1.24.orig.tar.gz

Package: groff
Version: 1.22-9
Directory: pool/g
Checksums-Sha256:
 ${c} 1 groff_1.22.orig.tar.gz

Package: base-files
Version: 13.8
Directory: pool/b
Checksums-Sha256:
 ${c} 3 base-files_13.8.tar.xz
 ${b} 1 base-files_13.8.dsc
`;
  const { lock } = await update({
    inputs: { groff: { ...sed, package: 'groff' }, base: { ...sed, package: 'base-files' } },
    mirrors: await mirrorOf({ sources: extras }),
  });
  expect(lock.inputs['groff']?.pins[0]?.urls).toEqual(['mirror://debian/pool/g/groff_1.23.orig.tar.gz']);
  expect(lock.inputs['base']?.pins[0]).toMatchObject({ version: '13.8', sha256: c });

  const old = { ...sed, package: 'groff', version: '1.22' };
  const kept = await update({ inputs: { groff: old }, mirrors: await mirrorOf({ sources: extras }) });
  expect(kept.lock.inputs['groff']?.pins[0]).toMatchObject({ version: '1.22', sha256: c });
  const gone = update({
    inputs: { groff: { ...old, version: '1.21' } },
    mirrors: await mirrorOf({ sources: extras }),
  });
  expect(await failureOf(gone)).toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'Debian trixie has no groff 1.21',
    hint: 'It has 1.23, 1.24, 1.22.',
  });
});

test('a release that is signed by several keys needs one that is known', async () => {
  const { lock } = await update({ inputs: { sed }, mirrors: await mirrorOf({ signers: [otherKey, key] }) });
  expect(lock.inputs['sed']).toBeDefined();
});

test('a mirror without by-hash folders will do', async () => {
  const files = await archiveFiles({ sources, signers: [key] });
  for (const path of files.keys()) if (path.includes('by-hash')) files.delete(path);
  const { lock } = await update({ inputs: { sed }, mirrors: (await serveArchive(files)).mirrors });
  expect(lock.inputs['sed']).toBeDefined();
});

const inReleasePath = 'dists/trixie/InRelease';

function edited(file: Buffer | undefined, edit: (text: string) => string): Buffer {
  const text = file?.toString() ?? '';
  expect(edit(text)).not.toBe(text);
  return Buffer.from(edit(text));
}

test.each([
  ['a changed line', (text: string) => text.replace('Components: main', 'Components: evil')],
  ['an added hash', (text: string) => text.replace(/^SHA256:/m, `SHA256:\n ${a} 1 main/source/Sources.xz`)],
  ['no signature', (text: string) => text.replace(/-----BEGIN PGP SIGNATURE[^]*/, '')],
  ['no armor at all', (text: string) => text.replace(/-----[^]*?\n\n/, '').replace(/-----BEGIN[^]*/, '')],
  ['a damaged signature', (text: string) => text.replace(/(PGP SIGNATURE-----\n\n.{20})../, '$1AA')],
  ['nothing in it', () => ''],
  ['a web page', () => '<html>please log in</html>'],
])('a release with %s is refused', async (_, edit) => {
  const files = await archiveFiles({ sources, packages, signers: [key] });
  files.set(inReleasePath, edited(files.get(inReleasePath), edit));
  const error = await failureOf(update({ inputs: { sed }, mirrors: (await serveArchive(files)).mirrors }));
  expect(error.code).toBe('LOCK_SIGNATURE');
  expect(error.message).toContain(inReleasePath);
});

test('what stands around the signed text is not believed', async () => {
  const files = await archiveFiles({ sources, packages, signers: [key] });
  const evil = await archiveFiles({ sources: sources.replaceAll(a, c), signers: [otherKey] });
  const injected =
    evil
      .get(inReleasePath)
      ?.toString()
      .replace(/-----BEGIN PGP SIGNATURE[^]*/, '') ?? '';
  files.set(
    inReleasePath,
    edited(files.get(inReleasePath), (text) => `${injected}\n${text}`),
  );
  for (const [path, bytes] of evil) if (path.includes('by-hash')) files.set(path, bytes);
  const error = await failureOf(update({ inputs: { sed }, mirrors: (await serveArchive(files)).mirrors }));
  expect(error.code).toBe('LOCK_SIGNATURE');
});

test.each([
  ['was signed by a key that is not known', () => ({ signers: [otherKey] }), 'no good signature'],
  ['has expired', () => ({ validUntil: new Date(Date.now() - 1000) }), 'it was valid until'],
  ['is from the future', () => ({ date: new Date(Date.now() + 2 * day) }), 'its date is'],
])('a release that %s is refused', async (_, spec, message) => {
  const error = await failureOf(update({ inputs: { sed }, mirrors: await mirrorOf(spec()) }));
  expect(error.code).toBe('LOCK_SIGNATURE');
  expect(error.message).toContain(message);
});

test('a release that is still valid is accepted', async () => {
  const mirrors = await mirrorOf({ validUntil: new Date(Date.now() + day) });
  expect((await update({ inputs: { sed }, mirrors })).changes).toHaveLength(1);
});

test('the release of another suite is refused', async () => {
  const files = await archiveFiles({ suite: 'buster', sources, signers: [key] });
  files.set(inReleasePath, files.get('dists/buster/InRelease')!);
  const error = await failureOf(update({ inputs: { sed }, mirrors: (await serveArchive(files)).mirrors }));
  expect(error.code).toBe('LOCK_SIGNATURE');
  expect(error.message).toContain('it is for buster, not for trixie');
});

test('an index that is not the one that was signed is refused', async () => {
  const files = await archiveFiles({ sources, signers: [key] });
  const evil = await archiveFiles({ sources: sources.replaceAll(a, c), signers: [key] });
  const evilIndex = evil.get('dists/trixie/main/source/Sources.xz')!;
  for (const path of files.keys()) if (path.includes('/source/')) files.set(path, evilIndex);
  const error = await failureOf(update({ inputs: { sed }, mirrors: (await serveArchive(files)).mirrors }));
  expect(error.code).toBe('LOCK_SIGNATURE');
  expect(error.message).toContain('trixie/main/source/Sources is not what its signed release says');
});

test('a URL is pinned as it is found, which is said, without its secrets', async () => {
  const content = Buffer.from('firmware');
  const server = await serve((_, response) => response.end(content));
  const declaration = { kind: 'url', urls: [`${server.base}/fw.bin?token=hunter2`], version: '7' } as const;
  const { lock, notices } = await update({ inputs: { firmware: declaration } });
  const sha256 = digestHash(digestOf(content));
  expect(lock.inputs['firmware']).toEqual({
    declaration,
    pins: [{ name: 'firmware', version: '7', urls: declaration.urls, sha256, sizeBytes: 8 }],
  });
  expect(notices.join('\n')).toContain('trusted on first use');
  expect(notices.join('\n')).toContain(sha256);
  expect(notices.join('\n')).not.toContain('hunter2');

  const again = await update({ inputs: { firmware: declaration }, lock });
  expect(again.changes).toEqual([]);
  expect(again.notices.join('\n')).not.toContain('first use');
});

test('only the inputs that were named are looked at', async () => {
  const { lock: before } = await update({ inputs: { sed, seed }, mirrors: await mirrorOf() });
  const newer = { sources: sources.replaceAll('4.9', '4.10').replaceAll(a, b), packages: '' };
  const { lock, changes } = await update({
    inputs: { sed, seed },
    lock: before,
    names: ['sed'],
    mirrors: await mirrorOf(newer),
  });
  expect(changes).toEqual([{ input: 'sed', name: 'sed', from: '4.9', to: '4.10' }]);
  expect(lock.inputs['seed']).toEqual(before.inputs['seed']);
});

test('inputs that the flake no longer has are dropped', async () => {
  const mirrors = await mirrorOf();
  const { lock: before } = await update({ inputs: { sed, old: sed }, mirrors });
  const { lock, changes } = await update({ inputs: { sed }, lock: before, mirrors });
  expect(Object.keys(lock.inputs)).toEqual(['sed']);
  expect(changes).toEqual([{ input: 'old', name: 'sed', from: '4.9', to: undefined }]);
});

test('a name that is not an input is an error that lists the inputs', async () => {
  const error = await failureOf(update({ inputs: { sed, seed }, names: ['sid'] }));
  expect(error).toMatchObject({ code: 'USAGE', hint: 'Did you mean sed? It has sed, seed.' });
});

test('URLs that people added to a pin stay as long as its file does', async () => {
  const { lock: found } = await update({ inputs: { sed }, mirrors: await mirrorOf() });
  const pin = found.inputs['sed']!.pins[0]!;
  const extra = 'https://keep.example/sed_4.9.orig.tar.xz';
  const lock: Lock = {
    version: 1,
    inputs: { sed: { ...found.inputs['sed']!, pins: [{ ...pin, urls: [...pin.urls, extra] }] } },
  };
  const same = await update({ inputs: { sed }, lock, mirrors: await mirrorOf() });
  expect(same.lock).toEqual(lock);
  const moved = await update({
    inputs: { sed },
    lock,
    mirrors: await mirrorOf({ sources: sources.replaceAll(a, b) }),
  });
  expect(moved.lock.inputs['sed']?.pins[0]?.urls).toEqual(pin.urls);
});

test('a lock says since when its files were served, and says it anew when they move', async () => {
  const at = (time: string): void => void vi.setSystemTime(time);
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const inputs = { sed, seed, old: { ...sed, snapshot: true } } as const;
  at('2030-11-30T14:04:57.123Z');
  const { lock } = await update({ inputs, mirrors: await mirrorOf() });
  const servedAt = (of: Lock): unknown[] => Object.values(of.inputs).map((input) => input.servedAt);
  expect(servedAt(lock)).toEqual([undefined, '2030-11-30T14:04:57Z', '2030-11-30T14:04:57Z']);

  at('2030-12-01T08:00:00Z');
  const still = await update({ inputs, lock, mirrors: await mirrorOf() });
  expect(still.lock).toEqual(lock);
  const moved = { sources: sources.replaceAll('4.9', '4.10').replaceAll(a, 'd'.repeat(64)) };
  const after = await update({ inputs, lock, mirrors: await mirrorOf(moved) });
  expect(servedAt(after.lock)).toEqual([undefined, '2030-12-01T08:00:00Z', '2030-11-30T14:04:57Z']);
  expect(pinOrigins(after.lock)('d'.repeat(64))).toMatchObject({
    version: '4.10',
    servedAt: '2030-12-01T08:00:00Z',
  });
});

test('a pin that goes backwards is worth a notice', async () => {
  const { lock } = await update({ inputs: { sed }, mirrors: await mirrorOf() });
  const older = { sources: sources.replaceAll('4.9', '4.8').replaceAll(a, b) };
  const { notices } = await update({ inputs: { sed }, lock, mirrors: await mirrorOf(older) });
  expect(notices).toContain('sed: sed goes back from 4.9 to 4.8; the mirror may be out of date');
});

test('pins that cairn ships are taken over without a network, unless they are asked for by name', async () => {
  const { lock: shipped } = await update({ inputs: { sed }, mirrors: await mirrorOf() });
  const { lock } = await update({ inputs: { sed }, shipped });
  expect(lock).toEqual(shipped);
  const newer = await mirrorOf({ sources: sources.replaceAll('4.9', '4.10').replaceAll(a, b) });
  const asked = await update({ inputs: { sed }, shipped, names: ['sed'], mirrors: newer });
  expect(asked.lock.inputs['sed']?.pins[0]?.version).toBe('4.10');
  const locked = await update({ inputs: { sed }, shipped, lock: shipped, mirrors: newer });
  expect(locked.lock.inputs['sed']?.pins[0]?.version).toBe('4.10');
  const other = await update({ inputs: { sed: seed }, shipped, mirrors: await mirrorOf() });
  expect(other.lock.inputs['sed']?.pins).toHaveLength(2);
});

test('when only missing pins are asked for, those are added, and no other moves or goes', async () => {
  const { lock } = await update({ inputs: { sed, old: sed }, mirrors: await mirrorOf() });
  const mirrors = await mirrorOf({ sources: sources.replaceAll('4.9', '4.10').replaceAll(a, b) });
  const more = await update({ inputs: { sed, seed }, lock, mirrors, missingAlone: true });
  expect(more.changes.map(({ input, name, from }) => [input, name, from])).toEqual([
    ['seed', 'libc6', undefined],
    ['seed', 'sed', undefined],
  ]);
  expect(more.lock.inputs['sed']).toEqual(lock.inputs['sed']);
  expect(more.lock.inputs['old']).toEqual(lock.inputs['old']);
  const again = await update({ inputs: { sed, seed }, lock: more.lock, missingAlone: true });
  expect(again.changes).toEqual([]);
});

test('an input that is declared otherwise than when it was locked counts as missing, and what cairn ships is taken', async () => {
  const { lock } = await update({ inputs: { sed: seed }, mirrors: await mirrorOf() });
  const { lock: shipped } = await update({ inputs: { sed }, mirrors: await mirrorOf() });
  const mended = await update({ inputs: { sed }, lock, shipped, missingAlone: true });
  expect(mended.lock).toEqual(shipped);
});

test('of what cairn ships, no more is added than is needed, unless that cannot be known or it was there before', async () => {
  const mirrors = await mirrorOf();
  const { lock: shipped } = await update({ inputs: { sed, seed }, mirrors });
  const inputs = { sed, seed, own: sed };
  const added = async (
    neededWith: NonNullable<Update['neededWith']>,
    lock?: Update['lock'],
  ): Promise<string[]> => {
    const asked = {
      inputs,
      shipped,
      mirrors: await mirrorOf(),
      neededWith,
      ...(lock !== undefined && { lock }),
    };
    return Object.keys((await update(asked)).lock.inputs).sort();
  };
  expect(await added(() => Promise.resolve(new Set(['seed'])))).toEqual(['own', 'seed']);
  expect(await added(() => Promise.resolve(undefined))).toEqual(['own', 'sed', 'seed']);
  expect(await added(() => Promise.resolve(new Set()), shipped)).toEqual(['own', 'sed', 'seed']);
});

test.each([
  ['an unknown suite', { ...sed, suite: 'trixi' }, 'CONFIG_INVALID', 'Debian has no suite "trixi"', 'trixie'],
  [
    'an unknown source package',
    { ...sed, package: 'sedd' },
    'CONFIG_INVALID',
    'has no source package "sedd"',
    'sed',
  ],
  [
    'an unknown package',
    { ...seed, packages: ['sedd'] },
    'CONFIG_INVALID',
    'has no package "sedd" for amd64',
    'sed',
  ],
  [
    'an unknown area',
    { ...seed, components: ['mane'] },
    'CONFIG_INVALID',
    'has no mane/binary-amd64/Packages',
  ],
  ['a misspelt kind', { ...sed, kind: 'debian' }, 'CONFIG_INVALID', 'inputs.x.kind: it must be'],
])('%s is an error that says so, and where', async (_, declaration, code, message, meant?: string) => {
  const inputs = { x: declaration as InputDeclaration };
  const flake = { inputs, mirrors: {}, inputPlaces: { x: 'flake-like.config.ts:5:13' } };
  const error = await failureOf(update({ inputs, flake, mirrors: await mirrorOf() }));
  expect(error).toMatchObject({ code, where: 'flake-like.config.ts:5:13' });
  expect(error.message).toContain(message);
  expect(error.hint).toMatch(meant === undefined ? /./ : new RegExp(`^Did you mean ${meant}\\b`));
});

test('an update can be aborted', async () => {
  const controller = new AbortController();
  const server = await serve(() => controller.abort(new Error('stop it')));
  const mirrors = openMirrors({ env: { CAIRN_MIRROR_DEBIAN: server.base }, aptFolder: '/nonexistent' });
  await expect(update({ inputs: { sed }, mirrors, signal: controller.signal })).rejects.toThrow('stop it');
});
